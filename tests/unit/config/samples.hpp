// Values that a key must take and values that it must refuse, for every kind of the key table. The tests of
// the parser and the check of the schema against the parser use the same ones.
#pragma once

#include <string>
#include <vector>

#include "config/keys.hpp"

namespace vigil::config {

/// JSON texts that fit and that do not fit a kind of value.
struct Samples {
    std::vector<std::string> good;
    std::vector<std::string> bad;
};
Samples samples_of(const Key& key);

/// The text of a whole configuration in which `key` has `value`; a task gets what else the key needs to have
/// a meaning.
std::string configuration(const Key& key, const std::string& value);

/// Values that are refused only for how they relate to another key's default.
bool needs_company(const Key& key, const std::string& value);

}  // namespace vigil::config
