#include "linux/self/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <utility>

namespace vigil::os {
namespace {

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

/// Something inert: /dev/null, or where there is none the read end of a pipe without a writer.
UniqueFd open_inert() {
    UniqueFd fd(::open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (fd) return fd;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return UniqueFd();
    const UniqueFd writer(ends[1]);
    return UniqueFd(ends[0]);
}

}  // namespace

Result<void> open_standard_streams() {
    for (int fd = 0; fd <= 2; ++fd) {
        if (is_open(fd)) continue;
        UniqueFd inert = open_inert();
        if (!inert) return Failure{errno_error("opening /dev/null in place of a closed standard stream")};
        // open(2) gives the lowest free number, which is `fd` as those below it are open; a pipe's ends come
        // in order too.
        if (inert.get() != fd && ::dup2(inert.get(), fd) < 0)
            return Failure{errno_error("putting /dev/null in place of a closed standard stream")};
        if (inert.get() == fd) static_cast<void>(inert.release());
        ::fcntl(fd, F_SETFD, 0);
    }
    return {};
}

LowDescriptors::Loan::Loan(Loan&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), fd_(std::exchange(other.fd_, -1)) {}

LowDescriptors::Loan& LowDescriptors::Loan::operator=(Loan&& other) noexcept {
    if (this == &other) return *this;
    if (owner_ != nullptr) owner_->give_back(fd_);
    owner_ = std::exchange(other.owner_, nullptr);
    fd_ = std::exchange(other.fd_, -1);
    return *this;
}

LowDescriptors::Loan::~Loan() {
    if (owner_ != nullptr) owner_->give_back(fd_);
}

Result<std::shared_ptr<LowDescriptors>> LowDescriptors::reserve() {
    UniqueFd filler = open_inert();
    if (!filler) return Failure{errno_error("reserving low descriptors")};
    std::shared_ptr<LowDescriptors> low(new LowDescriptors(std::move(filler)));
    for (int fd = 3; fd < kLowDescriptors; ++fd) {
        if (is_open(fd)) continue;
        if (::dup3(low->filler_.get(), fd, O_CLOEXEC) < 0)
            return Failure{errno_error("reserving low descriptors")};
        low->held_ |= 1U << fd;
    }
    low->free_ = low->held_;
    return low;
}

LowDescriptors::~LowDescriptors() {
    for (int fd = 3; fd < kLowDescriptors; ++fd)
        if ((held_ >> fd) & 1U) ::close(fd);
}

LowDescriptors::Loan LowDescriptors::lend(int fd) {
    const std::lock_guard lock(mutex_);
    if (free_ == 0) return {};
    const int place = std::countr_zero(free_);
    // The number is never free in between, so no open() of another thread can land on it.
    if (::dup3(fd, place, O_CLOEXEC) < 0) return {};
    free_ &= ~(1U << place);
    return {this, place};
}

void LowDescriptors::give_back(int fd) noexcept {
    const std::lock_guard lock(mutex_);
    // A failure would leave the borrowed file open at `fd`; there is none for two open descriptors.
    ::dup3(filler_.get(), fd, O_CLOEXEC);
    free_ |= 1U << fd;
}

int LowDescriptors::free_count() const {
    const std::lock_guard lock(mutex_);
    return std::popcount(free_);
}

}  // namespace vigil::os
