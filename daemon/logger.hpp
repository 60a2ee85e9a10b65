// Layer daemon. The logger, as every file that writes to it includes it.
#pragma once

#include <spdlog/logger.h>

// The templates behind a line of a log are 50 KiB of code. In fmt 9 each file that logs gets its own copy of
// what the compiler has specialised in it, a megabyte of the program in all; here they are compiled once, in
// log.cpp. Other versions are left as they are.
#if FMT_VERSION >= 90000 && FMT_VERSION < 100000
#define VIGIL_FMT_COMPILED_ONCE
extern template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::string_view,
                                                   fmt::basic_format_args<fmt::buffer_context<char>>,
                                                   fmt::detail::locale_ref);
#endif
