// The version of the product, compiled into each program once.
#pragma once

namespace vigil {

extern const char* const kVersion;

}  // namespace vigil
