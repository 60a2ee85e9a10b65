#include "recovery/take_stock.hpp"

#include "recovery/lost_runs.hpp"
#include "recovery/orphan_policy.hpp"

namespace vigil::daemon {

RecordBook::Opened take_stock(const Place& place, const config::Config& config, const os::Features& features,
                              bool goes_on, const std::shared_ptr<spdlog::logger>& log) {
    RecordBook::Opened records = RecordBook::open(place.directories, log);
    find_lost_runs(records.leftovers,
                   {.runtime_dir = place.marked_directory,
                    .notify_directory = place.notify_directory,
                    .unclean = place.unclean,
                    .config = config,
                    .kept = place.kept,
                    .features = features},
                   *records.book, *log);
    if (!goes_on && config.daemon.orphan_policy == config::OrphanPolicy::kill)
        end_left_runs(records.leftovers, features, *records.book, *log);
    return records;
}

}  // namespace vigil::daemon
