/*
 * json.h: writes one JSON object into a buffer, without allocating.
 *
 * What does not fit is counted but not written: afterwards `used` says what is needed. Texts that
 * are not UTF-8 come out as their bytes, escaped one by one.
 */
#ifndef HEAPYARD_TRIAL_JSON_H
#define HEAPYARD_TRIAL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hy_json {
    char *buffer;
    size_t size;
    size_t used;      /* without the final zero */
    bool needs_comma; /* before the next member or element */
} hy_json;

void hy__json_open(hy_json *json, char bracket);  /* '{' or '[' */
void hy__json_close(hy_json *json, char bracket); /* '}' or ']' */
void hy__json_key(hy_json *json, const char *name);
void hy__json_text(hy_json *json, const char *text); /* NULL: null */
void hy__json_number(hy_json *json, uint64_t value);
void hy__json_bool(hy_json *json, bool value);
void hy__json_address(hy_json *json, uint64_t address); /* "0x..."; 0: null */

/* A member: key and value. */
void hy__json_text_member(hy_json *json, const char *name, const char *text);
void hy__json_number_member(hy_json *json, const char *name, uint64_t value);

/* The final zero. Returns 0, or the size that the whole needs if it did not fit (the buffer is then
 * an empty string). */
size_t hy__json_end(hy_json *json);

#endif /* HEAPYARD_TRIAL_JSON_H */
