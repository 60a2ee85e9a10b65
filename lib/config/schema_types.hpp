// Layer config, private. The schema fragments of the kinds of values.
#pragma once

#include "config/keys.hpp"
#include "json/writer.hpp"

namespace vigil::config {

/// Writes the members of the schema object of `key` that say what may stand there; the object itself is the
/// caller's. Sections and `tasks` have none.
void write_schema_of(json::Writer& out, const Key& key);

/// Writes the entries of "$defs" that write_schema_of refers to.
void write_schema_definitions(json::Writer& out);

}  // namespace vigil::config
