// Layer daemon. Which descriptors have something: one epoll instance of our own, which libuv polls. A watcher
// of libuv's own enters the kernel's set when its loop polls next, and libuv aborts where the kernel has no
// room for it (ENOMEM, ENOSPC); here that is no more than a delay. A change of interest is one system call,
// and cannot fail.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "loop/handle.hpp"
#include "loop/lanes.hpp"

namespace vigil::daemon {

class Watch;

/// Of the loop's thread, like all here.
class Readiness {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Readiness>> create(uv_loop_t& loop);
    Readiness(const Readiness&) = delete;
    Readiness& operator=(const Readiness&) = delete;

    /// Told once of each descriptor that cannot be watched at the moment and is tried again.
    void on_trouble(std::function<void(const Error&)> told) { trouble_ = std::move(told); }

  private:
    friend class Watch;
    /// By descriptor. What the kernel has queued for a watch that is gone is told by the serial number.
    struct Place {
        Watch* watch = nullptr;
        std::uint32_t serial = 0;
    };

    explicit Readiness(UniqueFd epoll) : epoll_(std::move(epoll)) {}
    void enter(Watch& watch);
    void leave(Watch& watch) noexcept;
    void interest(Watch& watch, int events);
    [[nodiscard]] bool add(Watch& watch);
    void look();
    void fetch();
    void retry();
    void count(int change);

    UniqueFd epoll_;  // polled by the handle below, which goes first
    std::vector<Place> places_;
    Lanes lanes_;                  ///< of those with news that was fetched
    std::vector<Watch*> outside_;  ///< those that the kernel had no room for
    std::size_t interested_ = 0;
    std::function<void(const Error&)> trouble_;
    HandlePtr<uv_poll_t> poll_;
    HandlePtr<uv_timer_t> retry_;
};

class Loop;

/// Readiness of a descriptor that somebody else owns. Must go before the descriptor is closed: the kernel
/// would go on watching whatever it leads to while there is a copy.
class Watch {
  public:
    /// `ready` is called with those of UV_READABLE, UV_WRITABLE, UV_DISCONNECT and UV_PRIORITIZED that are
    /// asked for and are so; on an error or a hang-up with all that are asked for. They were so when the
    /// kernel was asked: what others of a lane need may have come in between.
    Watch(Loop& loop, int fd, std::function<void(int)> ready, Lane lane = kHouse);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Some of the above, or 0 for nothing.
    void interest(int events);

  private:
    friend class Lanes;
    friend class Readiness;
    Readiness& readiness_;
    int fd_;
    std::function<void(int)> ready_;
    int interest_ = 0;
    bool inside_ = false;     ///< the kernel has it
    std::uint32_t news_ = 0;  ///< as the kernel told it, while this waits in its lane
    LanePlace place_;
};

}  // namespace vigil::daemon
