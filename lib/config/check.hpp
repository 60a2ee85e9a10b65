// Layer config, private. Walks an object along the key table and reports everything that does not fit it.
#pragma once

#include <string>
#include <string_view>

#include "config/keys.hpp"
#include "config/reporter.hpp"
#include "json/value.hpp"

namespace vigil::config {

/// Checks `value` as the object that holds the keys of `scope` below `section` (empty: the scope's own
/// object). `where` goes before each key in messages: "tasks.api.". Sections are entered; `tasks` is not, nor
/// are the scopes `daemon` and `defaults` of a file.
void check_section(Reporter& reporter, SourceId source, Scope scope, std::string_view section,
                   const json::Value& value, const std::string& where);

}  // namespace vigil::config
