/* Maps a page through the installed library, writes to it, and gives it back. */
#include <stdio.h>

#include <heapyard/pages.h>

int main(void)
{
    const hy_page_source *pages = hy_pages_mmap();
    char *page = pages->map(pages->context, HY_PAGE_SIZE, HY_PAGE_SIZE);
    if (page == NULL) {
        return 1;
    }
    page[0] = 'y';
    printf("consumer: %c%c\n", page[0], page[1] == 0 ? '0' : '?');
    pages->unmap(pages->context, page, HY_PAGE_SIZE);
    return 0;
}
