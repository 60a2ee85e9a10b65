#include "output/drain.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "output/pipe.hpp"

namespace vigil::output {

void limit_what_is_left(Stream& stream) {
    if (!stream.left) stream.left = bytes_waiting(stream.pipe.get()) + capacity_of(stream.pipe.get());
}

void end_note(Stream& stream) noexcept {
    if (TransferNote* const note = std::exchange(stream.note, nullptr)) note->end();
}

void drain_claimed(Stream& stream, std::string& buffer) {
    end_note(stream);
    buffer.resize(kDrainBytes);
    while (stream.claimed != 0) {
        const ssize_t count =
            ::read(stream.pipe.get(), buffer.data(), std::min<std::size_t>(stream.claimed, buffer.size()));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        stream.claimed -= static_cast<std::uint32_t>(count);
    }
}

Drained drain(Stream& stream, std::size_t most, std::string& buffer) {
    Drained drained;
    drain_claimed(stream, buffer);
    buffer.resize(kDrainBytes);
    if (stream.left) most = std::min(most, *stream.left);
    for (std::size_t taken = 0; taken < most;) {
        const ssize_t count = ::read(stream.pipe.get(), buffer.data(), std::min(most - taken, buffer.size()));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            drained.how = count == 0 ? Moved::ended : Moved::dry;
            return drained;
        }
        const auto bytes = static_cast<std::size_t>(count);
        taken += bytes;
        if (stream.left) *stream.left -= bytes;
        drained.lost.add({buffer.data(), bytes});
    }
    drained.how = stream.left == 0 ? Moved::ended : Moved::more;
    return drained;
}

}  // namespace vigil::output
