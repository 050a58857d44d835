/* Allocates from an arena of the installed library, and asks the engine for a name. */
#include <stdio.h>

#include <heapyard/bump.h>
#include <heapyard/trial.h>

int main(void)
{
    hy_bump *bump = hy_bump_new(NULL);
    if (bump == NULL) {
        return 1;
    }
    char *block = hy_bump_alloc(bump, 20);
    if (block == NULL) {
        return 1;
    }
    (void)snprintf(block, 20, "%s", hy_trial_op_name(1));
    printf("consumer: %s, %d\n", block, (int)hy_bump_contains(bump, block));
    hy_bump_delete(bump);
    return 0;
}
