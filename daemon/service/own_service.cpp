#include "service/own_service.hpp"

#include <vigil.h>

#include "base/error.hpp"

namespace vigil::daemon {

void OwnService::Close::operator()(vigil_handle* handle) const noexcept {
    vigil_close(handle);
}

OwnService::OwnService(Loop& loop) : timer_(loop, [this] { feed(); }) {
    vigil_handle* handle = nullptr;
    const int result = vigil_open(&handle);
    handle_.reset(handle);
    if (result < 0) fault_ = Error{"the NOTIFY_SOCKET of our own supervisor cannot be used", -result}.text();
    interval_ = std::chrono::microseconds(vigil_interval(handle));
    if (interval_ > core::Duration::zero()) feed();
}

void OwnService::feed() {
    vigil_beat(handle_.get());
    timer_.arm(std::chrono::steady_clock::now() + interval_);
}

void OwnService::ready() {
    vigil_ready(handle_.get());
}

void OwnService::stopping() {
    vigil_stopping(handle_.get());
}

void OwnService::status(const std::string& line) {
    if (line == last_status_) return;
    last_status_ = line;
    vigil_status(handle_.get(), "%s", line.c_str());
}

}  // namespace vigil::daemon
