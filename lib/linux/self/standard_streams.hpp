// Layer linux. Descriptors 0, 1 and 2, and a reserve of low numbers for what children are to receive.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vigil::os {

/// Opens /dev/null on each of 0, 1 and 2 that is closed, so that no later open() becomes a "standard output".
/// Call before anything is opened. Without /dev/null (a bare container) a pipe end takes its place.
[[nodiscard]] Result<void> open_standard_streams();

/// Numbers below this are copied into a new process and closed there one by one; everything above is dropped
/// by close_range(2) without being looked at. 64 is the unit in which the kernel copies, so less would gain
/// nothing.
inline constexpr int kLowDescriptors = 32;

/// Holds free descriptor numbers below kLowDescriptors, so that what a child is to receive can be put there
/// however many descriptors are open. Thread-safe.
class LowDescriptors {
  public:
    /// One low number with a copy of `fd` on it (close-on-exec) until the Loan goes.
    class Loan {
      public:
        Loan() = default;
        Loan(Loan&& other) noexcept;
        Loan& operator=(Loan&& other) noexcept;
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        ~Loan();
        [[nodiscard]] int get() const noexcept { return fd_; }

      private:
        friend class LowDescriptors;
        Loan(LowDescriptors* owner, int fd) noexcept : owner_(owner), fd_(fd) {}
        LowDescriptors* owner_ = nullptr;
        int fd_ = -1;
    };

    /// Fills every free number in [3, kLowDescriptors). Numbers that are open already (inherited) are left
    /// alone.
    [[nodiscard]] static Result<std::shared_ptr<LowDescriptors>> reserve();
    LowDescriptors(const LowDescriptors&) = delete;
    LowDescriptors& operator=(const LowDescriptors&) = delete;
    ~LowDescriptors();

    /// A low copy of `fd`; where no number is left a Loan whose get() is -1. The LowDescriptors must outlive
    /// it.
    [[nodiscard]] Loan lend(int fd);
    [[nodiscard]] int free_count() const;

  private:
    explicit LowDescriptors(UniqueFd filler) noexcept : filler_(std::move(filler)) {}
    void give_back(int fd) noexcept;

    UniqueFd filler_;
    mutable std::mutex mutex_;
    std::uint32_t held_ = 0;  ///< bit n: number n is ours
    std::uint32_t free_ = 0;  ///< bit n: and holds the filler
};

}  // namespace vigil::os
