// Any bytes as one notify datagram, and as a stream of pipe lines cut in two anywhere.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/notify_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto parsed = vigil::protocol::parse_notify(bytes);
    if (parsed && vigil::protocol::is_plain_beat(bytes) && !parsed->parts.beat) std::abort();
    if (parsed && parsed->parts.watchdog && parsed->parts.watchdog->count() <= 0) std::abort();

    vigil::protocol::NotifyPipe pipe;
    const std::size_t cut = size == 0 ? 0 : data[0] % size;
    (void)pipe.feed(bytes.substr(0, cut));
    (void)pipe.feed(bytes.substr(cut));
    return 0;
}
