// Any bytes as a duration, a size, a signal, a pattern and text for display; what is accepted reads back the
// same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/glob.hpp"
#include "base/quantity.hpp"
#include "base/signal_name.hpp"
#include "base/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto duration = vigil::parse_duration(text)) {
        const auto again = vigil::parse_duration(vigil::format_duration(*duration));
        if (!again || *again != *duration) std::abort();
    }
    if (const auto bytes = vigil::parse_size(text)) {
        const auto again = vigil::parse_size(vigil::format_size(*bytes));
        if (!again || *again != *bytes) std::abort();
    }
    if (const auto signal = vigil::parse_signal(text)) {
        if (vigil::parse_signal(vigil::signal_name(*signal)) != signal) std::abort();
    }
    const std::size_t cut = size == 0 ? 0 : data[0] % size;
    (void)vigil::Glob(text.substr(0, cut)).matches(text.substr(cut));
    if (!vigil::is_utf8(vigil::escape_for_display(text))) std::abort();
    return 0;
}
