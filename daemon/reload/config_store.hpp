// Layer daemon. Tasks that vigild itself writes to the configuration: conf.d/NAME.json beside the main file,
// one task a file. Everything here waits for the disk: it belongs into another thread than the loop's.
#pragma once

#include <string>

#include "base/result.hpp"
#include "json/value.hpp"

namespace vigil::daemon {

/// Where a task of that name is written. `main_file` is absolute, the name a valid one.
[[nodiscard]] std::string stored_path(const std::string& main_file, const std::string& name);

/// Writes a file that holds the task's object as it was given and nothing else; mode 0644. An error, and no
/// file, where one is there already or a reload would refuse it for its place.
[[nodiscard]] Result<void> store_task(const std::string& path, const std::string& name,
                                      const json::Value& object);

/// Takes away what a vigild that was killed in the middle of that has left beside it.
void tidy_store(const std::string& main_file);

/// Whether the file may go together with that task: it holds no other.
[[nodiscard]] Result<void> check_holds_only(const std::string& path, const std::string& name);

}  // namespace vigil::daemon
