// Layer base. A thread that cannot be had is a failure like any other: the constructor of std::thread throws
// where the kernel gives none (EAGAIN: a limit of users, of cgroups or of the machine), and nobody who
// forgets it lives on.
#pragma once

#include <cerrno>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/result.hpp"

namespace vigil {

/// Runs `work` in a thread of its own. `doing` is what the error says: "starting a thread for ...".
template <typename Work>
[[nodiscard]] Result<std::thread> start_thread(Work&& work, std::string doing) {
    try {
        return std::thread(std::forward<Work>(work));
    } catch (const std::system_error& error) {
        return Failure{Error{std::move(doing), error.code().value()}};
    } catch (const std::bad_alloc&) {
        return Failure{Error{std::move(doing), ENOMEM}};
    }
}

}  // namespace vigil
