// Layer base. How long something took, counted in fixed memory: buckets whose width is a quarter of their
// power of two, so a quantile is at most 25 % above the truth. Adding costs some nanoseconds and never
// allocates.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vigil {

class DurationHistogram {
  public:
    using Duration = std::chrono::nanoseconds;

    /// What is negative counts as nothing.
    void add(Duration duration) noexcept {
        const auto value = duration.count() > 0 ? static_cast<std::uint64_t>(duration.count()) : 0;
        ++buckets_[bucket_of(value)];
        ++count_;
        if (value > max_) max_ = value;
    }
    /// All that the other has counted.
    void add(const DurationHistogram& other) noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] Duration max() const noexcept { return Duration(static_cast<std::int64_t>(max_)); }
    /// The longest that the shortest `part` (0 to 1) of all took: the upper end of its bucket, but never
    /// above max(). Zero while nothing was counted.
    [[nodiscard]] Duration quantile(double part) const noexcept;

  private:
    static constexpr unsigned kStepBits = 2;
    static constexpr unsigned kSteps = 1U << kStepBits;
    static constexpr std::size_t kBuckets = (64 - kStepBits + 1) * kSteps;

    [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
        if (value < kSteps) return value;
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kStepBits;
        return (shift + 1) * kSteps + (value >> shift & (kSteps - 1));
    }
    [[nodiscard]] static std::uint64_t last_of(std::size_t bucket) noexcept;

    std::array<std::uint64_t, kBuckets> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

/// The same, of what was added in the last one to two windows of time.
class RecentDurations {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    explicit RecentDurations(std::chrono::nanoseconds window) noexcept : window_(window) {}

    void add(DurationHistogram::Duration duration, TimePoint now) noexcept {
        if (now >= present_ends_) turn_over(now);
        present_.add(duration);
    }
    [[nodiscard]] DurationHistogram at(TimePoint now) const noexcept;

  private:
    void turn_over(TimePoint now) noexcept;

    std::chrono::nanoseconds window_;
    DurationHistogram present_;
    DurationHistogram before_;
    TimePoint present_ends_{};
};

}  // namespace vigil
