#include "output/losses.hpp"

#include <algorithm>

namespace vigil::output {

void Losses::add(std::string_view lost) noexcept {
    bytes += lost.size();
    lines += static_cast<std::uint64_t>(std::count(lost.begin(), lost.end(), '\n'));
}

Losses& Losses::operator+=(const Losses& more) noexcept {
    bytes += more.bytes;
    lines += more.lines;
    return *this;
}

Losses& Losses::operator-=(const Losses& part) noexcept {
    bytes -= std::min(bytes, part.bytes);
    lines -= std::min(lines, part.lines);
    return *this;
}

std::string loss_marker(const Losses& losses, std::string_view reason) {
    std::string out = "[vigil: ";
    out.append(std::to_string(losses.lines)).append(losses.lines == 1 ? " line (" : " lines (");
    out.append(std::to_string(losses.bytes)).append(losses.bytes == 1 ? " byte" : " bytes");
    out.append(") of output were dropped here: ").append(reason).append("]");
    return out;
}

}  // namespace vigil::output
