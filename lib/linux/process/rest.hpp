// Layer linux. How long looks at many processes leave the processor to others.
#pragma once

#include <chrono>

namespace vigil::os {

/// For how long there is to be no look after one that took `passed` by the clock and `worked` of the
/// processor: five times as long as it took. But on a machine so busy that it waited for the processor most
/// of the time it is the work that counts, half a second at least, or nothing would be learned for a minute.
[[nodiscard]] std::chrono::nanoseconds rest_after(std::chrono::nanoseconds passed,
                                                  std::chrono::nanoseconds worked) noexcept;

}  // namespace vigil::os
