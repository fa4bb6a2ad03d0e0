// Builds (once, kept in --cache) and searches an hnswlib index, one query thread, and prints the JSON of `signpost eval`.
#include "measure.h"
#include "metrics.h"

#include <atomic>
#include <map>
#include <memory>
#include <sstream>
#include <thread>

using namespace peers;

struct Options {
    std::string data, queries, truth, cache = "/tmp/signpost-peers", space = "float";
    size_t m = 16, efc = 200, threads = 2, k = 10, repeat = 3;
    std::vector<size_t> ef = {20, 40, 60, 80, 120, 160, 200, 240};
};

static Options parse(int argc, char** argv) {
    Options o;
    std::map<std::string, std::string*> texts = {
        {"--data", &o.data}, {"--queries", &o.queries}, {"--truth", &o.truth}, {"--cache", &o.cache}, {"--space", &o.space}};
    std::map<std::string, size_t*> numbers = {
        {"--m", &o.m}, {"--efc", &o.efc}, {"--threads", &o.threads}, {"--k", &o.k}, {"--repeat", &o.repeat}};
    for (int i = 1; i < argc; i += 2) {
        std::string name = argv[i];
        if (i + 1 == argc) fail(name + " needs a value");
        std::string value = argv[i + 1];
        if (texts.count(name)) {
            *texts[name] = value;
        } else if (numbers.count(name)) {
            *numbers[name] = std::stoul(value);
        } else if (name == "--ef") {
            o.ef.clear();
            std::stringstream list(value);
            for (std::string part; std::getline(list, part, ',');) o.ef.push_back(std::stoul(part));
        } else {
            fail("unknown option " + name + " (options: --data --queries --truth --cache --space float|uint8|uint8simd --m --efc --threads --k --ef --repeat)");
        }
    }
    if (o.data.empty() || o.queries.empty() || o.truth.empty()) fail("--data, --queries and --truth are needed");
    if (o.repeat == 0 || o.k == 0 || o.ef.empty()) fail("--repeat, --k and --ef must not be empty or zero");
    return o;
}

static std::atomic<long> computations{0};

template <typename TDistance>
hnswlib::DISTFUNC<TDistance> counted = nullptr;

template <typename TDistance>
TDistance count_and_measure(const void* x, const void* y, const void* dim) {
    computations.fetch_add(1, std::memory_order_relaxed);
    return counted<TDistance>(x, y, dim);
}

template <typename T, typename TDistance>
void build(const Options& o, const std::string& path, hnswlib::SpaceInterface<TDistance>& space) {
    Rows<T> base = read_rows<T>(o.data);
    hnswlib::HierarchicalNSW<TDistance> index(&space, base.count, o.m, o.efc, 100);
    index.addPoint(base.row(0), 0);
    std::atomic<size_t> next{1};
    std::vector<std::thread> workers;
    for (size_t t = 0; t < o.threads; t++) {
        workers.emplace_back([&] {
            for (size_t i; (i = next.fetch_add(1)) < base.count;) {
                index.addPoint(base.row(i), i);
                if (i % 100000 == 0) fprintf(stderr, "hnswlib: %zu of %zu inserted\n", i, base.count);
            }
        });
    }
    for (std::thread& worker : workers) worker.join();
    index.saveIndex(path + ".new");
}

/// The index file of these settings, built if it is not in the cache; what building took stands in a file beside it.
template <typename T, typename TDistance>
std::string index_file(const Options& o, hnswlib::SpaceInterface<TDistance>& space) {
    std::string set = o.data.substr(o.data.find_last_of('/') + 1);
    std::string type = o.space == "float" ? "float" : "uint8";  // both uint8 spaces have the same distances, so the same graph
    std::string path = o.cache + "/hnswlib-" + type + "-M" + std::to_string(o.m) + "-efc" + std::to_string(o.efc) + "-" + set + ".index";
    if (std::ifstream(path).good()) return path;

    double start = seconds(CLOCK_MONOTONIC);
    rusage used = in_child([&] { build<T, TDistance>(o, path, space); });
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    std::ofstream json(path + ".json");
    json << "{\"space\": \"" << o.space << "\", \"m\": " << o.m << ", \"ef_construction\": " << o.efc << ", \"threads\": " << o.threads
         << ", \"wall_s\": " << seconds(CLOCK_MONOTONIC) - start << ", \"cpu_s\": " << cpu << ", \"peak_rss_bytes\": " << used.ru_maxrss * 1024 << "}";
    if (!json.flush() || rename((path + ".new").c_str(), path.c_str()) != 0) fail(path + ": cannot be written");
    return path;
}

template <typename TIndex, typename T>
size_t hits_of(TIndex& index, const Options& o, const Rows<T>& queries, const Rows<int32_t>& truth) {
    size_t hits = 0;
    for (size_t q = 0; q < queries.count; q++) {
        auto found = index.searchKnn(queries.row(q), o.k);
        for (; !found.empty(); found.pop()) {
            hits += (size_t)std::count(truth.row(q), truth.row(q) + o.k, (int32_t)found.top().second);
        }
    }
    return hits;
}

template <typename TIndex, typename T>
void print_point(TIndex& index, const Options& o, const Rows<T>& queries, double recall, double distances, double bytes) {
    std::vector<double> walls, cpus, latencies;
    for (size_t pass = 0; pass < o.repeat; pass++) {
        double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID), last = wall;
        for (size_t q = 0; q < queries.count; q++) {
            index.searchKnn(queries.row(q), o.k);
            double now = seconds(CLOCK_MONOTONIC);
            latencies.push_back(now - last);
            last = now;
        }
        cpus.push_back(seconds(CLOCK_THREAD_CPUTIME_ID) - cpu);
        walls.push_back(last - wall);
    }
    std::sort(latencies.begin(), latencies.end());
    auto percentile = [&](size_t percent) { return 1e6 * latencies[latencies.size() * percent / 100]; };
    printf("{\"search\": \"exact\", \"quantizer\": \"none\", \"m\": null, \"k\": %zu, \"l\": %zu, \"rerank\": null, \"recall_at_%zu\": %.4f, "
           "\"qps_1\": %.0f, \"qps_cpu\": %.0f, \"p50_us\": %.1f, \"p95_us\": %.1f, \"p99_us\": %.1f, "
           "\"distance_computations\": %.1f, \"resident_bytes_per_vector\": %.1f}",
           o.k, index.ef_, o.k, recall, (double)queries.count / median(walls), (double)queries.count / median(cpus),
           percentile(50), percentile(95), percentile(99), distances, bytes);
}

template <typename T, typename TDistance>
void run(const Options& o, hnswlib::SpaceInterface<TDistance>&& space) {
    Rows<T> queries = read_rows<T>(o.queries);
    Rows<int32_t> truth = read_rows<int32_t>(o.truth);
    if (truth.count < queries.count || truth.dim < o.k) fail("the truth has fewer rows than there are queries, or fewer columns than k");
    std::string path = index_file<T, TDistance>(o, space);

    double before = resident_bytes();
    hnswlib::HierarchicalNSW<TDistance> index(&space, path);
    double bytes = (resident_bytes() - before) / (double)index.cur_element_count;
    std::stringstream built;
    built << std::ifstream(path + ".json").rdbuf();
    printf("{\"system\": \"hnswlib 0.6.2 %s\", \"build\": %s, \"points\": [", o.space.c_str(), built.str().empty() ? "null" : built.str().c_str());
    for (size_t i = 0; i < o.ef.size(); i++) {
        index.setEf(o.ef[i]);
        counted<TDistance> = index.fstdistfunc_;
        computations = 0;
        index.fstdistfunc_ = count_and_measure<TDistance>;  // one pass that counts and warms the caches, not timed
        double recall = (double)hits_of(index, o, queries, truth) / (double)(queries.count * o.k);
        double distances = (double)computations / (double)queries.count;
        index.fstdistfunc_ = counted<TDistance>;
        printf(i == 0 ? "\n  " : ",\n  ");
        print_point(index, o, queries, recall, distances, bytes);
        fflush(stdout);
    }
    printf("\n]}\n");
}

/// Dimension of the first row, to make a space before anything is read whole.
static size_t dim_of(const std::string& path) {
    int32_t dim = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in.read((char*)&dim, 4) || dim <= 0) fail(path + ": cannot be read");
    return (size_t)dim;
}

int main(int argc, char** argv) {
    Options o = parse(argc, argv);
    size_t dim = dim_of(o.data);
    if (dim_of(o.queries) != dim) fail("data and queries differ in dimension");
    if (o.space != "float" && !ends_with(o.data, ".bvecs")) fail("--space " + o.space + " needs .bvecs data");
    if (o.space == "float") {
        run<float, float>(o, hnswlib::L2Space(dim));
    } else if (o.space == "uint8") {
        run<uint8_t, int>(o, hnswlib::L2SpaceI(dim));
    } else if (o.space == "uint8simd") {
        run<uint8_t, int>(o, Uint8Space(dim));
    } else {
        fail("--space is float, uint8 or uint8simd");
    }
}
