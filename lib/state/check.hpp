// Layer state. Whether the files of another, living daemon can be read by this version. Changes nothing and
// locks nothing.
#pragma once

#include <string>

namespace vigil::state {

/// What Table::open() would set the file aside for, or the first record that it would drop, as a sentence
/// with the path; empty: nothing. What is being written at the moment is no fault.
[[nodiscard]] std::string check_table(const std::string& path);

/// The same of SpecStore::open().
[[nodiscard]] std::string check_specs(const std::string& path);

}  // namespace vigil::state
