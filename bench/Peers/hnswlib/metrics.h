// Squared Euclidean distance of uint8 vectors for hnswlib, vectorised: its own L2SpaceI is a scalar loop, and a comparison
// with that would flatter us. The sums are integers, so both spaces build and walk the same graph.
#pragma once

#include <hnswlib/hnswlib.h>
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace peers {

#if defined(__AVX512BW__) && defined(__AVX512VL__)

inline __m512i add_squares(__m512i sum, __m256i x, __m256i y) {
    __m512i difference = _mm512_sub_epi16(_mm512_cvtepu8_epi16(x), _mm512_cvtepu8_epi16(y));
#if defined(__AVX512VNNI__)
    return _mm512_dpwssd_epi32(sum, difference, difference);
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(difference, difference));
#endif
}

inline int squared_l2(const uint8_t* x, const uint8_t* y, size_t dim) {
    __m512i even = _mm512_setzero_si512(), odd = _mm512_setzero_si512();
    size_t i = 0;
    for (; i + 64 <= dim; i += 64) {
        even = add_squares(even, _mm256_loadu_si256((const __m256i*)(x + i)), _mm256_loadu_si256((const __m256i*)(y + i)));
        odd = add_squares(odd, _mm256_loadu_si256((const __m256i*)(x + i + 32)), _mm256_loadu_si256((const __m256i*)(y + i + 32)));
    }
    for (; i < dim; i += 32) {
        __mmask32 rest = dim - i >= 32 ? ~0u : (1u << (dim - i)) - 1;
        even = add_squares(even, _mm256_maskz_loadu_epi8(rest, x + i), _mm256_maskz_loadu_epi8(rest, y + i));
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

#elif defined(__AVX2__)

inline int squared_l2(const uint8_t* x, const uint8_t* y, size_t dim) {
    __m256i sum = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + 16 <= dim; i += 16) {
        __m256i difference = _mm256_sub_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i*)(x + i))),
                                              _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i*)(y + i))));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(difference, difference));
    }
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    int total = _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1)));
    for (; i < dim; i++) {
        int difference = x[i] - y[i];
        total += difference * difference;
    }
    return total;
}

#else

inline int squared_l2(const uint8_t* x, const uint8_t* y, size_t dim) {
    int total = 0;
    for (size_t i = 0; i < dim; i++) {
        int difference = x[i] - y[i];
        total += difference * difference;
    }
    return total;
}

#endif

/// Dim fixed at compile time for the sets that are measured; 0 reads it from the parameter.
template <size_t Dim>
int squared_l2_space(const void* x, const void* y, const void* dim) {
    return squared_l2((const uint8_t*)x, (const uint8_t*)y, Dim != 0 ? Dim : *(const size_t*)dim);
}

class Uint8Space : public hnswlib::SpaceInterface<int> {
public:
    explicit Uint8Space(size_t dim) : dim_(dim) {}
    size_t get_data_size() override { return dim_; }
    void* get_dist_func_param() override { return &dim_; }
    hnswlib::DISTFUNC<int> get_dist_func() override {
        return dim_ == 128 ? squared_l2_space<128> : dim_ == 784 ? squared_l2_space<784> : squared_l2_space<0>;
    }

private:
    size_t dim_;
};

}  // namespace peers
