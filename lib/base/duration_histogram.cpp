#include "base/duration_histogram.hpp"

#include <algorithm>
#include <cmath>

namespace vigil {

void DurationHistogram::add(const DurationHistogram& other) noexcept {
    for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
}

DurationHistogram::Duration DurationHistogram::quantile(double part) const noexcept {
    if (count_ == 0) return Duration::zero();
    const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        seen += buckets_[i];
        if (seen >= wanted && seen != 0)
            return Duration(static_cast<std::int64_t>(std::min(last_of(i), max_)));
    }
    return max();
}

std::uint64_t DurationHistogram::last_of(std::size_t bucket) noexcept {
    if (bucket < kSteps) return bucket;
    const std::size_t shift = bucket / kSteps - 1;
    const std::uint64_t first = (kSteps + bucket % kSteps) << shift;
    return first + ((std::uint64_t{1} << shift) - 1);
}

DurationHistogram RecentDurations::at(TimePoint now) const noexcept {
    DurationHistogram all;
    // What nobody has turned over is as old as it is.
    if (now < present_ends_ + window_) all.add(present_);
    if (now < present_ends_) all.add(before_);
    return all;
}

void RecentDurations::turn_over(TimePoint now) noexcept {
    before_ = now < present_ends_ + window_ ? present_ : DurationHistogram();
    present_ = {};
    present_ends_ = now + window_;
}

}  // namespace vigil
