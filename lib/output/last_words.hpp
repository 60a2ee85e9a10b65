// Layer output. The last lines of a run. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "output/collector.hpp"

namespace vigil::output {

/// Enough of a log's end to find kLastLines in it, whatever their format adds to each.
inline constexpr std::size_t kLastWordsBytes = kLastLines * (kMostLineBytes + 1024);

/// The last lines of `text`, each cut to its first kLastLineBytes. `begins_within`: the text may begin in the
/// middle of a line, which is left out then.
[[nodiscard]] std::vector<std::string> last_lines(std::string_view text, core::OutputFormat format,
                                                  bool begins_within);

/// Of a run with two logs: what it said on stderr counts for more, so it comes last and stays.
[[nodiscard]] std::vector<std::string> join_last_lines(std::vector<std::string> out,
                                                       std::vector<std::string> err);

}  // namespace vigil::output
