// Layer daemon. What a daemon before this one has left, as this one goes on from it.
#pragma once

#include <memory>

#include "config/config.hpp"
#include "linux/self/features.hpp"
#include "logger.hpp"
#include "place.hpp"
#include "recovery/record_book.hpp"

namespace vigil::daemon {

/// Opens the book, gives records to runs that have none (lost_runs.hpp), and ends all runs if
/// daemon.orphan_policy says so and they are orphans: not where a vigild goes on as this one (`goes_on`).
[[nodiscard]] RecordBook::Opened take_stock(const Place& place, const config::Config& config,
                                            const os::Features& features, bool goes_on,
                                            const std::shared_ptr<spdlog::logger>& log);

}  // namespace vigil::daemon
