// Any bytes as what another version of vigild hands over: read or refused with a reason; what is read is
// written so that it reads back the same, as is what its parts hold as JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/reload_report.hpp"
#include "upgrade/handover.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vigil;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto handover = daemon::decode_handover(text);
    if (!handover) {
        if (handover.error().empty()) std::abort();
        return 0;
    }
    const std::string written = encode(*handover);
    const auto again = daemon::decode_handover(written);
    if (!again || encode(*again) != written) std::abort();
    if (daemon::descriptors_of(*handover).size() != handover->clients.sessions.size() + 1) std::abort();
    for (const daemon::CarriedOrder& order : handover->clients.orders)
        if (!order.report.empty()) (void)protocol::parse_reload_report(order.report);
    return 0;
}
