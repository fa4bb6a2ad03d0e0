// Vectors from fvecs, bvecs and ivecs files, clocks, medians: what the driver needs besides hnswlib.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace peers {

[[noreturn]] inline void fail(const std::string& message) {
    fprintf(stderr, "hnswlib_peer: %s\n", message.c_str());
    exit(2);
}

inline bool ends_with(const std::string& text, const char* end) {
    size_t length = strlen(end);
    return text.size() >= length && text.compare(text.size() - length, length, end) == 0;
}

/// Rows of one file, converted to T. Shape: [count, dim], row-major.
template <typename T>
struct Rows {
    size_t count = 0, dim = 0;
    std::vector<T> values;
    const T* row(size_t i) const { return values.data() + i * dim; }
};

template <typename T>
Rows<T> read_rows(const std::string& path) {
    size_t width = ends_with(path, ".bvecs") ? 1 : ends_with(path, ".fvecs") || ends_with(path, ".ivecs") ? 4 : 0;
    if (width == 0) fail(path + ": the name must end with .fvecs, .bvecs or .ivecs");
    std::ifstream in(path, std::ios::binary | std::ios::ate);
    if (!in) fail(path + ": cannot be read");
    size_t length = (size_t)in.tellg();
    in.seekg(0);
    int32_t dim = 0;
    in.read((char*)&dim, 4);
    if (!in || dim <= 0 || length % (4 + dim * width) != 0) fail(path + ": not a whole number of rows of one dimension");

    Rows<T> rows;
    rows.dim = (size_t)dim;
    rows.count = length / (4 + dim * width);
    rows.values.resize(rows.count * rows.dim);
    in.seekg(0);
    std::vector<char> row(4 + dim * width);
    bool floats = ends_with(path, ".fvecs");
    for (size_t i = 0; i < rows.count; i++) {
        in.read(row.data(), (std::streamsize)row.size());
        if (!in || memcmp(row.data(), &dim, 4) != 0) fail(path + ": row " + std::to_string(i) + " is cut or of another dimension");
        T* to = rows.values.data() + i * rows.dim;
        for (size_t j = 0; j < rows.dim; j++) {
            const char* from = row.data() + 4 + j * width;
            if (width == 1) {
                to[j] = (T) * (const uint8_t*)from;
            } else if (floats) {
                float value;
                memcpy(&value, from, 4);
                to[j] = (T)value;
            } else {
                int32_t value;
                memcpy(&value, from, 4);
                to[j] = (T)value;
            }
        }
    }
    return rows;
}

inline double seconds(clockid_t clock) {
    timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    size_t half = values.size() / 2;
    return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Bytes of this process that are in memory.
inline double resident_bytes() {
    long pages = 0, resident = 0;
    if (FILE* file = fopen("/proc/self/statm", "r")) {
        if (fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
        fclose(file);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/// Runs `work` in a child process, so that its memory is its own, and returns what it used.
template <typename F>
rusage in_child(F work) {
    pid_t child = fork();
    if (child < 0) fail("fork failed");
    if (child == 0) {
        work();
        _exit(0);
    }
    int status = 0;
    rusage used{};
    if (wait4(child, &status, 0, &used) != child || status != 0) fail("the build ended early");
    return used;
}

}  // namespace peers
