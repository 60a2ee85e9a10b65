#include "loop/readiness.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/check.hpp"
#include "loop/loop.hpp"

namespace vigil::daemon {
namespace {

/// Fetched in one go: more than there are clients, so that every lane is known before one is served.
constexpr std::size_t kBatch = 512;
/// In one turn of the loop; beyond it timers, and what tasks do and say, come first. Looked at after each one
/// that is served, and what is left waits in its lane.
constexpr auto kMostOfATurn = std::chrono::milliseconds(5);
constexpr std::uint64_t kRetryMs = 20;

constexpr std::array<std::pair<int, std::uint32_t>, 4> kNames{{{UV_READABLE, EPOLLIN},
                                                               {UV_WRITABLE, EPOLLOUT},
                                                               {UV_DISCONNECT, EPOLLRDHUP},
                                                               {UV_PRIORITIZED, EPOLLPRI}}};

std::uint32_t to_kernel(int events) {
    std::uint32_t all = 0;
    for (const auto& [ours, kernel] : kNames)
        if ((events & ours) != 0) all |= kernel;
    return all;
}

int from_kernel(std::uint32_t events, int interest) {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) return interest;
    int all = 0;
    for (const auto& [ours, kernel] : kNames)
        if ((events & kernel) != 0) all |= ours;
    return all & interest;
}

}  // namespace

Result<std::unique_ptr<Readiness>> Readiness::create(uv_loop_t& loop) {
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) return Failure{errno_error("making an epoll instance")};
    std::unique_ptr<Readiness> readiness(new Readiness(std::move(epoll)));
    auto poll =
        poll_for_reading(loop, readiness->epoll_.get(), readiness.get(), [](uv_poll_t* handle, int, int) {
            if (auto* const self = awake<Readiness>(handle)) self->look();
        });
    if (!poll) return Failure{poll.error()};
    readiness->poll_ = std::move(poll).value();
    readiness->retry_.reset(new uv_timer_t{});
    uv_timer_init(&loop, readiness->retry_.get());
    readiness->retry_->data = readiness.get();
    return readiness;
}

bool Readiness::add(Watch& watch) {
    const auto fd = static_cast<std::size_t>(watch.fd_);
    epoll_event event{};
    event.events = to_kernel(watch.interest_);
    event.data.u64 = std::uint64_t{places_[fd].serial} << 32 | fd;
    watch.inside_ = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, watch.fd_, &event) == 0;
    return watch.inside_;
}

void Readiness::enter(Watch& watch) {
    const auto fd = static_cast<std::size_t>(watch.fd_);
    if (fd >= places_.size()) places_.resize(fd + 1);
    VIGIL_CHECK(places_[fd].watch == nullptr, "a descriptor is watched twice");
    lanes_.come(watch);
    places_[fd] = {.watch = &watch, .serial = places_[fd].serial + 1};
}

void Readiness::leave(Watch& watch) noexcept {
    interest(watch, 0);
    lanes_.go(watch);
    places_[static_cast<std::size_t>(watch.fd_)].watch = nullptr;
}

void Readiness::interest(Watch& watch, int events) {
    const int before = std::exchange(watch.interest_, events);
    if (before == events) return;
    if (before == 0) count(1);
    if (events == 0) {
        count(-1);
        // An empty set would still tell of a hang-up, again and again.
        if (watch.inside_) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch.fd_, nullptr);
        watch.inside_ = false;
        lanes_.unqueue(watch);
        std::erase(outside_, &watch);
        return;
    }
    if (watch.inside_) {
        epoll_event event{};
        event.events = to_kernel(events);
        const auto fd = static_cast<std::size_t>(watch.fd_);
        event.data.u64 = std::uint64_t{places_[fd].serial} << 32 | fd;
        const int changed = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, watch.fd_, &event);
        VIGIL_CHECK(changed == 0, "a descriptor was closed before its watch was gone");
        return;
    }
    if (before != 0 || add(watch)) return;
    const int code = errno;
    VIGIL_CHECK(code == ENOMEM || code == ENOSPC, "a descriptor that cannot be polled was given to the loop");
    outside_.push_back(&watch);
    retry();
    if (trouble_) trouble_(Error{"watching a descriptor; trying again", code});
}

void Readiness::look() {
    const auto until = std::chrono::steady_clock::now() + kMostOfATurn;
    fetch();
    while (Watch* const watch = lanes_.next()) {
        if (const int ready = from_kernel(watch->news_, watch->interest_); ready != 0) watch->ready_(ready);
        if (std::chrono::steady_clock::now() >= until) return;
    }
}

void Readiness::fetch() {
    std::array<epoll_event, kBatch> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), kBatch, 0);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        const Place& place = places_[event.data.u64 & 0xffffffff];
        if (place.watch == nullptr || place.serial != event.data.u64 >> 32) continue;
        place.watch->news_ = event.events;
        lanes_.queue(*place.watch);
    }
}

void Readiness::retry() {
    std::erase_if(outside_, [this](Watch* watch) { return add(*watch); });
    if (outside_.empty()) return;
    uv_timer_start(
        retry_.get(),
        [](uv_timer_t* timer) {
            if (auto* const self = awake<Readiness>(timer)) self->retry();
        },
        kRetryMs, 0);
}

/// The loop is to end where nothing is watched, and this is no more than a means of it.
void Readiness::count(int change) {
    auto* const handle = reinterpret_cast<uv_handle_t*>(poll_.get());
    interested_ += static_cast<std::size_t>(change);
    if (interested_ == 0)
        uv_unref(handle);
    else
        uv_ref(handle);
}

Watch::Watch(Loop& loop, int fd, std::function<void(int)> ready, Lane lane)
    : readiness_(loop.readiness()), fd_(fd), ready_(std::move(ready)) {
    place_.lane = lane;
    readiness_.enter(*this);
}

Watch::~Watch() {
    readiness_.leave(*this);
}

void Watch::interest(int events) {
    readiness_.interest(*this, events);
}

}  // namespace vigil::daemon
