// Layer daemon. Owning a libuv handle.
#pragma once

#include <uv.h>

#include <memory>

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
