/*
 * runtime.c: the objects of a small interpreter: strings, lists, tables, and files that close themselves.
 *
 *     cc runtime.c $(pkg-config --cflags --libs heapyard) -o runtime && ./runtime
 */
#include <heapyard/gc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- strings: plain. Their bytes are their items --------------------------------------------- */

typedef struct string {
    hy_var_object base; /* base.items: bytes, the final zero included */
    char text[];
} string;

static hy_type *string_type;

static hy_object *new_string(const char *text)
{
    hy_object *const made = hy_new_var(string_type, strlen(text) + 1);
    return made != NULL ? (strcpy(((string *)made)->text, text), made) : NULL;
}

/* ---- lists: they own references, and an array of their own ------------------------------------ */

typedef struct list {
    hy_object base;
    size_t count, room;
    hy_object **items;
} list;

static hy_type *list_type;

static int list_traverse(hy_object *object, hy_visit_fn *visit, void *context)
{
    list *const self = (list *)object;
    int stopped = 0;
    for (size_t i = 0; i < self->count && stopped == 0; i++) {
        stopped = visit(self->items[i], context);
    }
    return stopped;
}

/* Fit for use afterwards, as the collector wants it: an empty list. */
static void list_clear(hy_object *object)
{
    list *const self = (list *)object;
    hy_object **const items = self->items;
    const size_t count = self->count;
    self->items = NULL;
    self->count = self->room = 0;
    hy_decref_many(items, count);
    free(items);
}

/* Takes over the caller's reference. */
static bool list_append(hy_object *object, hy_object *item)
{
    list *const self = (list *)object;
    if (self->count == self->room) {
        const size_t room = self->room * 2 + 4;
        hy_object **const grown = realloc(self->items, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        self->items = grown;
        self->room = room;
    }
    self->items[self->count++] = item;
    return true;
}

/* ---- tables: a list of keys and values in turn, found by the key's text ----------------------- */

static hy_type *table_type;

static hy_object *table_get(hy_object *object, const char *key)
{
    const list *const self = (const list *)object;
    for (size_t i = 0; i < self->count; i += 2) {
        if (strcmp(((string *)self->items[i])->text, key) == 0) {
            return self->items[i + 1];
        }
    }
    return NULL;
}

/* Takes over the caller's reference to the value; the key is new. */
static bool table_put(hy_object *object, const char *key, hy_object *value)
{
    return list_append(object, new_string(key)) && list_append(object, value);
}

/* ---- files: a finalizer closes what the program forgot ------------------------------------------ */

typedef struct file {
    hy_object base;
    hy_object *owner; /* a table, which may refer back */
    int number;
} file;

static hy_type *file_type;

static int file_traverse(hy_object *object, hy_visit_fn *visit, void *context)
{
    hy_object *const owner = ((file *)object)->owner;
    return owner != NULL ? visit(owner, context) : 0;
}

static void file_drop(hy_object *object)
{
    hy_clear_field(&((file *)object)->owner);
}

/* All that the object refers to is still whole, also where it is garbage with it. */
static void file_finalize(hy_object *object)
{
    const file *const self = (const file *)object;
    const string *const name = (const string *)table_get(self->owner, "name");
    printf("file %d of %s is closed\n", self->number, name->text);
}

/* ---- the types ---------------------------------------------------------------------------------- */

static void register_types(hy_space *space)
{
    const hy_type_spec strings = {
        .size = sizeof strings, .name = "string", .object_size = sizeof(string), .item_size = 1};
    hy_type_spec lists = {
        .size = sizeof lists,
        .name = "list",
        .object_size = sizeof(list),
        .kind = HY_KIND_DEALLOC,
        .flags = HY_TYPE_CONTAINER | HY_TYPE_WEAK,
        .traverse = list_traverse,
        .clear = list_clear,
        .dealloc = list_clear,
    };
    const hy_type_spec files = {
        .size = sizeof files,
        .name = "file",
        .object_size = sizeof(file),
        .kind = HY_KIND_FINALIZE,
        .flags = HY_TYPE_CONTAINER,
        .traverse = file_traverse,
        .clear = file_drop,
        .finalize = file_finalize,
        .dealloc = file_drop,
    };
    string_type = hy_type_new(space, &strings);
    list_type = hy_type_new(space, &lists);
    lists.name = "table";
    lists.base = list_type;
    table_type = hy_type_new(space, &lists);
    file_type = hy_type_new(space, &files);
    if (string_type == NULL || list_type == NULL || table_type == NULL || file_type == NULL) {
        abort(); /* no memory */
    }
}

/* ---- a program of that interpreter --------------------------------------------------------------- */

/* A scope that its own functions and files refer to: a cycle, as in any language with closures. */
static hy_object *open_scope(const char *name, int number)
{
    hy_object *const scope = hy_new(table_type);
    hy_object *const opened = hy_new(file_type);
    table_put(scope, "name", new_string(name));
    table_put(scope, "file", opened);
    hy_incref(scope);
    ((file *)opened)->owner = scope;
    ((file *)opened)->number = number;
    return scope;
}

static void say_gone(void *context)
{
    printf("the %s is gone\n", (const char *)context);
}

static int print_type(hy_object *object, void *context)
{
    (void)context;
    printf("  a %s with %d references\n", hy_type_get(object->type)->name,
           (int)hy_references(object));
    return 0;
}

static void report(void *context, unsigned generation, const hy_gc_result *result)
{
    (void)context;
    if (result != NULL) {
        printf("collected %d of %d (generation %u)\n", (int)result->collected,
               (int)result->candidates, generation);
    }
}

int main(void)
{
    hy_space *const space = hy_space_new(NULL);
    register_types(space);

    /* References alone end this list, and the strings in it. */
    hy_object *const words = hy_new(list_type);
    hy_weak *const seen = hy_weak_new(words, say_gone, "list of words");
    list_append(words, new_string("left"));
    list_append(words, new_string("right"));
    hy_decref(words);

    /* Cycles wait for the collector. */
    hy_gc_set_callback(space, report, NULL);
    hy_object *const kept = open_scope("main", 1);
    hy_decref(open_scope("lost", 2));
    printf("who refers to the scope of main:\n");
    (void)hy_gc_referrers(space, kept, print_type, NULL);
    (void)hy_gc_collect(space, 2);
    printf("what lives:\n");
    (void)hy_gc_walk(space, print_type, NULL);

    /* It may also collect by itself: here whenever 1,000 containers were made. */
    hy_gc_set_callback(space, NULL, NULL);
    hy_gc_set_thresholds(space, 1000, 10, 10);
    for (int i = 0; i < 10000; i++) {
        hy_object *const ring = hy_new(list_type);
        list_append(ring, ring); /* the caller's reference is now its own */
    }
    hy_gc_counters counters;
    if (hy_gc_get_counters(space, &counters)) {
        printf("%d young collections\n", (int)counters.young_collections);
    }

    hy_decref(kept);
    (void)hy_gc_collect(space, 2);
    hy_weak_free(seen);
    hy_space_delete(space); /* what still lives goes without a function called */
    return 0;
}
