#include "trial/json.h"

#include <string.h>

static void put(hy_json *json, char character)
{
    if (json->used < json->size) {
        json->buffer[json->used] = character;
    }
    json->used++;
}

static void put_text(hy_json *json, const char *text)
{
    for (; *text != '\0'; text++) {
        put(json, *text);
    }
}

static void put_digits(hy_json *json, uint64_t value, unsigned base)
{
    char digits[24];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (count > 0) {
        put(json, digits[--count]);
    }
}

static void separate(hy_json *json)
{
    if (json->needs_comma) {
        put(json, ',');
    }
    json->needs_comma = true;
}

void hy__json_open(hy_json *json, char bracket)
{
    separate(json);
    put(json, bracket);
    json->needs_comma = false;
}

void hy__json_close(hy_json *json, char bracket)
{
    put(json, bracket);
    json->needs_comma = true;
}

void hy__json_key(hy_json *json, const char *name)
{
    hy__json_text(json, name);
    put(json, ':');
    json->needs_comma = false;
}

/* Length of the UTF-8 sequence at `at`; 0 if there is none. */
static size_t sequence_length(const unsigned char *at)
{
    static const struct {
        unsigned char mask, lead;
    } forms[] = {{0x80, 0x00}, {0xe0, 0xc0}, {0xf0, 0xe0}, {0xf8, 0xf0}};
    for (size_t length = 1; length <= 4; length++) {
        if ((at[0] & forms[length - 1].mask) != forms[length - 1].lead) {
            continue;
        }
        for (size_t i = 1; i < length; i++) {
            if ((at[i] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return length;
    }
    return 0;
}

static void put_escaped(hy_json *json, unsigned char byte)
{
    put_text(json, byte < 16 ? "\\u000" : "\\u00");
    put_digits(json, byte, 16);
}

static const char *put_character(hy_json *json, const char *text)
{
    const unsigned char byte = (unsigned char)*text;
    const size_t length = sequence_length((const unsigned char *)text);
    if (byte < 0x20 || length == 0) {
        put_escaped(json, byte);
        return text + 1;
    }
    if (byte == '"' || byte == '\\') {
        put(json, '\\');
    }
    for (size_t i = 0; i < length; i++) {
        put(json, text[i]);
    }
    return text + length;
}

void hy__json_text(hy_json *json, const char *text)
{
    separate(json);
    if (text == NULL) {
        put_text(json, "null");
        return;
    }
    put(json, '"');
    while (*text != '\0') {
        text = put_character(json, text);
    }
    put(json, '"');
}

void hy__json_number(hy_json *json, uint64_t value)
{
    separate(json);
    put_digits(json, value, 10);
}

void hy__json_bool(hy_json *json, bool value)
{
    separate(json);
    put_text(json, value ? "true" : "false");
}

void hy__json_address(hy_json *json, uint64_t address)
{
    separate(json);
    if (address == 0) {
        put_text(json, "null");
        return;
    }
    put_text(json, "\"0x");
    put_digits(json, address, 16);
    put(json, '"');
}

void hy__json_text_member(hy_json *json, const char *name, const char *text)
{
    hy__json_key(json, name);
    hy__json_text(json, text);
}

void hy__json_number_member(hy_json *json, const char *name, uint64_t value)
{
    hy__json_key(json, name);
    hy__json_number(json, value);
}

size_t hy__json_end(hy_json *json)
{
    if (json->used < json->size) {
        json->buffer[json->used] = '\0';
        return 0;
    }
    if (json->size > 0) {
        json->buffer[0] = '\0';
    }
    return json->used + 1;
}
