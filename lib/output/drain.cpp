#include "output/drain.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "output/pipe.hpp"

namespace vigil::output {

void limit_what_is_left(Stream& stream) {
    if (!stream.left) stream.left = bytes_waiting(stream.pipe.get()) + capacity_of(stream.pipe.get());
}

Drained drain(Stream& stream, std::size_t most, std::string& buffer) {
    Drained drained;
    buffer.resize(kDrainBytes);
    if (stream.left) most = std::min(most, *stream.left);
    for (std::size_t taken = 0; taken < most;) {
        const std::size_t ask = stream.claimed != 0 ? std::min<std::size_t>(stream.claimed, buffer.size())
                                                    : std::min(most - taken, buffer.size());
        const ssize_t count = ::read(stream.pipe.get(), buffer.data(), ask);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            drained.how = count == 0 ? Moved::ended : Moved::dry;
            return drained;
        }
        const auto bytes = static_cast<std::size_t>(count);
        if (stream.claimed != 0) {
            stream.claimed -= static_cast<std::uint32_t>(bytes);
            continue;
        }
        taken += bytes;
        if (stream.left) *stream.left -= bytes;
        drained.lost.add({buffer.data(), bytes});
    }
    drained.how = stream.left == 0 ? Moved::ended : Moved::more;
    return drained;
}

}  // namespace vigil::output
