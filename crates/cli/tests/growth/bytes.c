// Counts the bytes that are copied, filled and compared by functions of C, which have no counters of their own.
// Put before the library of C, it writes their number to the file that DISTIL_BYTES names when the process ends.

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long long bytes;

static void count(size_t n) { __atomic_fetch_add(&bytes, n, __ATOMIC_RELAXED); }

void *memmove(void *to, const void *from, size_t n) {
    char *a = to;
    const char *b = from;
    count(n);
    if (a <= b || a >= b + n)
        for (size_t i = 0; i < n; i++) a[i] = b[i];
    else
        while (n--) a[n] = b[n];
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    char *restrict a = to;
    const char *restrict b = from;
    count(n);
    for (size_t i = 0; i < n; i++) a[i] = b[i];
    return to;
}

void *memset(void *to, int byte, size_t n) {
    char *a = to;
    count(n);
    for (size_t i = 0; i < n; i++) a[i] = (char)byte;
    return to;
}

int memcmp(const void *left, const void *right, size_t n) {
    const unsigned char *a = left, *b = right;
    size_t i = 0;
    while (i < n && a[i] == b[i]) i++;
    count(i);
    return i == n ? 0 : a[i] - b[i];
}

int bcmp(const void *left, const void *right, size_t n) { return memcmp(left, right, n); }

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("DISTIL_BYTES");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%llu", bytes);
        fclose(file);
    }
}
