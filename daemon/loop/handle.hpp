// Layer daemon. Owning a libuv handle.
#pragma once

#include <uv.h>

#include <memory>

#include "base/result.hpp"
#include "loop/loop_meter.hpp"

namespace vigil::daemon {

/// Frees the handle in its close callback; a callback that is still due finds no owner and does nothing.
template <typename Handle>
struct CloseHandle {
    void operator()(Handle* handle) const noexcept {
        handle->data = nullptr;
        uv_close(reinterpret_cast<uv_handle_t*>(handle),
                 [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
    }
};
template <typename Handle>
using HandlePtr = std::unique_ptr<Handle, CloseHandle<Handle>>;

/// Polls `fd` for reading for as long as the handle lives, without keeping the loop going; `told` is called
/// in the loop, and `owner` is the handle's. In the loop before its first turn: libuv aborts where the kernel
/// has no room for it by then.
inline Result<HandlePtr<uv_poll_t>> poll_for_reading(uv_loop_t& loop, int fd, void* owner, uv_poll_cb told) {
    auto* const poll = new uv_poll_t{};
    if (const int error = uv_poll_init(&loop, poll, fd); error != 0) {
        delete poll;  // not in the loop
        return Failure{Error{"watching descriptors", -error}};
    }
    HandlePtr<uv_poll_t> handle(poll);
    poll->data = owner;
    uv_poll_start(poll, UV_READABLE, told);
    uv_unref(reinterpret_cast<uv_handle_t*>(poll));
    return handle;
}

template <typename Owner, typename Handle>
Owner* owner_of(Handle* handle) noexcept {
    return static_cast<Owner*>(handle->data);
}

/// What every callback begins with: the same, once the turn is counted that the callback is a part of. The
/// loop's own data is its meter.
template <typename Owner, typename Handle>
Owner* awake(Handle* handle) noexcept {
    static_cast<LoopMeter*>(handle->loop->data)->awake();
    return owner_of<Owner>(handle);
}

}  // namespace vigil::daemon
