#include "output/retention.hpp"

#include <algorithm>

namespace vigil::output {

std::size_t count_to_remove(const std::vector<logs::Part>& parts, unsigned keep,
                            std::optional<std::uint64_t> max_total) noexcept {
    std::size_t kept = std::min<std::size_t>(keep, parts.size());
    if (max_total) {
        std::uint64_t left = *max_total;
        std::size_t fit = 0;
        while (fit < kept && parts[parts.size() - 1 - fit].size <= left)
            left -= parts[parts.size() - 1 - fit++].size;
        kept = fit;
    }
    return parts.size() - kept;
}

Cut choose_cut(const LineEnds& ends, std::size_t waiting, std::size_t room, std::size_t beyond,
               bool at_line_start) noexcept {
    if (waiting <= room) return {waiting, false};
    if (ends.last_within) return {*ends.last_within, true};
    if (at_line_start) return {0, true};
    const std::size_t most = room + beyond;
    if (ends.first_after && *ends.first_after <= most) return {*ends.first_after, true};
    // The line may still end in time: its end is waited for in the next move.
    if (waiting <= most) return {waiting, false};
    return {most, true};
}

}  // namespace vigil::output
