/*
 * bins.c: see bins.h.
 */
#include "region/bins.h"

#include "region/poison.h"

static uint32_t get_child(const hy__fast *fast, uint32_t node, unsigned side)
{
    return hy__get(fast, node, HY__CHILD + 4 * side);
}

static void put_child(hy__fast *fast, uint32_t node, unsigned side, uint32_t child)
{
    hy__put(fast, node, HY__CHILD + 4 * side, child);
}

static unsigned tree_of(uint32_t size)
{
    return hy__log2_floor(size) - 6;
}

/* The side of a node of this tree on which `size` goes, `depth` steps below the root. */
static unsigned side_of(uint32_t size, unsigned depth)
{
    return (size >> ((hy__log2_floor(size) - 1 - depth) & 31)) & 1;
}

/* ---- finding -------------------------------------------------------------------------------- */

/* The best block seen so far. */
typedef struct best {
    uint32_t number, size;
} best;

static void consider(hy_region *region, const hy__fast *fast, uint32_t node, uint32_t n,
                     best *found)
{
    (void)region;
    const uint32_t size = hy__get(fast, node, HY__SIZE);
    HY__STEP(region);
    if (size >= n && size < found->size) {
        *found = (best){node, size};
    }
}

/* The smallest of a whole subtree. Depth is bounded, so that links written over can't make a loop;
 * and no node above `top` is read. */
static void find_leftmost(hy_region *region, const hy__fast *fast, uint32_t node, uint32_t n,
                          best *found)
{
    for (unsigned depth = 0; hy__is_number(fast, node) && depth < 32; depth++) {
        consider(region, fast, node, n, found);
        const uint32_t left = get_child(fast, node, 0);
        node = left != 0 ? left : get_child(fast, node, 1);
    }
}

static void find_in_tree(hy_region *region, const hy__fast *fast, uint32_t n, best *found)
{
    const unsigned depths = hy__log2_floor(n);
    uint32_t node = fast->trees[tree_of(n)], right_of_path = 0;
    for (unsigned depth = 0; hy__is_number(fast, node); depth++) {
        consider(region, fast, node, n, found);
        if (found->size == n || depth == depths) {
            return;
        }
        const unsigned side = side_of(n, depth);
        const uint32_t right = get_child(fast, node, 1);
        if (side == 0 && right != 0) {
            right_of_path = right;
        }
        node = side == 0 ? get_child(fast, node, 0) : right;
    }
    find_leftmost(region, fast, right_of_path, n, found);
}

uint32_t hy__trees_find(hy_region *region, const hy__fast *fast, uint32_t n)
{
    if (n > HY__GRANULES_MAX) {
        return 0;
    }
    best found = {0, UINT32_MAX};
    uint32_t trees = fast->tree_map;
    if (n >= HY__SMALL_BINS) {
        const unsigned tree = tree_of(n);
        if ((trees >> tree & 1) != 0) {
            find_in_tree(region, fast, n, &found);
        }
        trees &= ~((UINT32_C(2) << tree) - 1);
    }
    if (found.number == 0 && trees != 0) {
        find_leftmost(region, fast, fast->trees[__builtin_ctz(trees)], n, &found);
    }
    /* Another of the same size costs less to take out than the node itself. */
    const uint32_t twin = found.number != 0 ? hy__get(fast, found.number, HY__NEXT) : 0;
    return twin != 0 ? twin : found.number;
}

/* ---- changing ------------------------------------------------------------------------------- */

/* node -> next   =>   node -> number -> next */
static void insert_twin(hy__fast *fast, uint32_t node, uint32_t number)
{
    const uint32_t next = hy__get(fast, node, HY__NEXT);
    hy__put(fast, number, HY__NEXT, next);
    hy__put(fast, number, HY__PREVIOUS, node);
    hy__put(fast, node, HY__NEXT, number);
    if (next != 0) {
        hy__put(fast, next, HY__PREVIOUS, number);
    }
}

void hy__trees_insert(hy__fast *fast, uint32_t number, uint32_t size)
{
    const unsigned tree = tree_of(size);
    uint32_t parent = 0, node = (fast->tree_map >> tree & 1) != 0 ? fast->trees[tree] : 0;
    unsigned depth = 0;
    while (node != 0) {
        if (hy__get(fast, node, HY__SIZE) == size) {
            insert_twin(fast, node, number);
            return;
        }
        parent = node;
        node = get_child(fast, node, side_of(size, depth++));
    }
    hy__put(fast, number, HY__NEXT, 0);
    hy__put(fast, number, HY__PREVIOUS, 0);
    hy__put(fast, number, HY__PARENT, parent);
    put_child(fast, number, 0, 0);
    put_child(fast, number, 1, 0);
    if (parent != 0) {
        put_child(fast, parent, side_of(size, depth - 1), number);
    } else {
        fast->trees[tree] = number;
        fast->tree_map |= UINT32_C(1) << tree;
    }
}

/* What pointed down to `node` points to `other` (0: nothing). */
static void replace_child(hy__fast *fast, uint32_t node, unsigned tree, uint32_t other)
{
    const uint32_t parent = hy__get(fast, node, HY__PARENT);
    if (parent != 0) {
        put_child(fast, parent, get_child(fast, parent, 1) == node, other);
        return;
    }
    fast->trees[tree] = other;
    if (other == 0) {
        fast->tree_map &= ~(UINT32_C(1) << tree);
    }
}

/* Takes a leaf from below, any: each node below may stand in the place of `node`. 0: it has none.
 */
static uint32_t unhang_leaf(hy__fast *fast, uint32_t node, unsigned tree)
{
    uint32_t leaf = node, below = node;
    for (unsigned depth = 0; hy__is_number(fast, below) && depth < 32; depth++) {
        leaf = below;
        below = get_child(fast, leaf, 1);
        below = below != 0 ? below : get_child(fast, leaf, 0);
    }
    if (leaf == node) {
        return 0;
    }
    replace_child(fast, leaf, tree, 0);
    return leaf;
}

static void remove_node(hy__fast *fast, uint32_t node, unsigned tree)
{
    uint32_t other = hy__get(fast, node, HY__NEXT);
    if (other != 0) {
        hy__put(fast, other, HY__PREVIOUS, 0);
    } else {
        other = unhang_leaf(fast, node, tree);
    }
    replace_child(fast, node, tree, other);
    if (other == 0) {
        return;
    }
    hy__put(fast, other, HY__PARENT, hy__get(fast, node, HY__PARENT));
    for (unsigned side = 0; side < 2; side++) {
        const uint32_t child = get_child(fast, node, side);
        put_child(fast, other, side, child);
        if (child != 0) {
            hy__put(fast, child, HY__PARENT, other);
        }
    }
}

static void remove_twin(hy__fast *fast, uint32_t number, uint32_t previous)
{
    const uint32_t next = hy__get(fast, number, HY__NEXT);
    hy__put(fast, previous, HY__NEXT, next);
    if (next != 0) {
        hy__put(fast, next, HY__PREVIOUS, previous);
    }
}

/* ---- believing ------------------------------------------------------------------------------ */

/* What should lead to the first block of a bin, does: the bin, or the node's parent. */
static bool is_led_to(const hy__fast *fast, uint32_t number, uint32_t size)
{
    if (size < HY__SMALL_BINS) {
        return fast->bins[size] == number;
    }
    const uint32_t parent = hy__get(fast, number, HY__PARENT);
    if (parent == 0) {
        return fast->trees[tree_of(size)] == number;
    }
    return hy__is_number(fast, parent) &&
           (get_child(fast, parent, 0) == number || get_child(fast, parent, 1) == number);
}

/* The links of a tree's node lead to nodes that know it. */
static bool has_sound_children(const hy__fast *fast, uint32_t number)
{
    for (unsigned side = 0; side < 2; side++) {
        const uint32_t child = get_child(fast, number, side);
        if (child != 0 &&
            !(hy__is_number(fast, child) && hy__get(fast, child, HY__PARENT) == number)) {
            return false;
        }
    }
    return true;
}

/* The block's neighbours in its bin know it. */
static bool is_linked(const hy__fast *fast, uint32_t number, uint32_t size)
{
    const uint32_t next = hy__get(fast, number, HY__NEXT);
    const uint32_t previous = hy__get(fast, number, HY__PREVIOUS);
    if (next != 0 && !(hy__is_number(fast, next) && hy__get(fast, next, HY__PREVIOUS) == number)) {
        return false;
    }
    if (previous != 0) {
        return hy__is_number(fast, previous) && hy__get(fast, previous, HY__NEXT) == number;
    }
    return is_led_to(fast, number, size) &&
           (size < HY__SMALL_BINS || has_sound_children(fast, number));
}

bool hy__trees_remove(hy__fast *fast, uint32_t number, uint32_t size)
{
    if (!is_linked(fast, number, size)) {
        return false;
    }
    const uint32_t previous = hy__get(fast, number, HY__PREVIOUS);
    if (previous != 0) {
        remove_twin(fast, number, previous);
    } else {
        remove_node(fast, number, tree_of(size));
    }
    return true;
}

void hy__bins_poison(hy__fast *fast, uint32_t number, uint32_t size)
{
    char *start = hy__fast_address(fast, number);
    hy__poison_bytes(start, size < HY__SMALL_BINS ? HY__SMALL_HEADER : HY__TREE_HEADER);
    hy__poison_bytes(hy__fast_address(fast, number + size) - 4, 4);
}

bool hy__bins_is_sound(const hy__fast *fast, uint32_t number)
{
    const hy__map *map = hy__map_of(fast);
    if (!hy__is_number(fast, number) || !hy__is_start(map, number) || !hy__is_free(map, number)) {
        return false;
    }
    const uint32_t size = hy__free_size(fast, number);
    return size != 0 && is_linked(fast, number, size);
}

bool hy__bins_is_filed(const hy__fast *fast, uint32_t number)
{
    const uint32_t size = hy__get(fast, number, HY__SIZE);
    const uint32_t previous = hy__get(fast, number, HY__PREVIOUS);
    if (previous != 0) {
        return hy__get(fast, previous, HY__SIZE) == size;
    }
    if (size < HY__SMALL_BINS) {
        return true;
    }
    const unsigned depths = hy__log2_floor(size);
    uint32_t node = fast->trees[tree_of(size)];
    for (unsigned depth = 0; hy__is_number(fast, node) && node != number && depth < depths;
         depth++) {
        node = get_child(fast, node, side_of(size, depth));
    }
    return node == number;
}

/* Whether a bin's first block is free, has a size of [from, to), and nothing before it. */
static bool is_first(const hy__fast *fast, uint32_t number, uint32_t from, uint32_t to)
{
    if (!hy__bins_is_sound(fast, number) || hy__get(fast, number, HY__PREVIOUS) != 0) {
        return false;
    }
    const uint32_t size = hy__get(fast, number, HY__SIZE);
    return from <= size && size < to &&
           (from < HY__SMALL_BINS || hy__get(fast, number, HY__PARENT) == 0);
}

const void *hy__bins_find_bad(const hy__fast *fast)
{
    for (uint32_t size = 0; size < HY__SMALL_BINS; size++) {
        const uint32_t head = fast->bins[size];
        const bool is_marked = (fast->small_map >> size & 1) != 0;
        if (is_marked != (head != 0) || (head != 0 && !is_first(fast, head, size, size + 1))) {
            return &fast->bins[size];
        }
    }
    for (unsigned tree = 0; tree < 32; tree++) {
        const uint32_t root = tree < HY__TREES ? fast->trees[tree] : 0;
        const uint32_t from = HY__SMALL_BINS << (tree & 31);
        const bool is_marked = (fast->tree_map >> tree & 1) != 0;
        if (is_marked != (root != 0) || (root != 0 && !is_first(fast, root, from, 2 * from))) {
            return tree < HY__TREES ? (const void *)&fast->trees[tree] : &fast->tree_map;
        }
    }
    return NULL;
}
