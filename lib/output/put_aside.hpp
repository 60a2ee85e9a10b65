// Layer output. What happens on disk when a log gets a new file. Every call may wait for a disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "core/spec.hpp"

namespace vigil::output {

/// The number that the present file of a log, `size` bytes long, will get: one more than any there has been.
[[nodiscard]] std::uint64_t number_of_present(const std::string& log_path, std::uint64_t size);

/// Renames the present file to its number, or the next that is free, and never over another file. Gives the
/// number.
[[nodiscard]] Result<std::uint64_t> put_aside(const std::string& log_path, std::uint64_t number);

/// Removes what the rule does not keep, and from the time index what belonged to it; begins the index of the
/// new present file, `present`. Failures are left to the next time.
void tidy_parts(const std::string& log_path, const core::OutputRule& rule, gid_t group, std::uint64_t present,
                std::int64_t now);

}  // namespace vigil::output
