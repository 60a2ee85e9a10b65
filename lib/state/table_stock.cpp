// What is found in a table that an earlier daemon has left.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "state/layout.hpp"
#include "state/table.hpp"

namespace vigil::state {
namespace {

/// Whether the words that write() gives to a run before the content of the record fit a content that tells of
/// a process: they are of that run, or, after a kill in the middle of a write, of the next one already.
bool may_be_of(const RecordImage& record, const Record& content) noexcept {
    const auto generation = static_cast<std::uint64_t>(content.task.generation);
    const bool of_next =
        record.pid_generation == 0 || (record.pid_generation > generation && record.pid == 0);
    return content.task.main_pid == 0 || record.pid_generation == generation || of_next;
}

}  // namespace

/// A write that a kill has left half done is done. write() has given the pid word to the run before that:
/// where it is not so, the record was damaged by something else, and a draft of a run whose pid is lost is of
/// no use.
void Table::finish_draft() {
    DraftImage& drafted = draft();
    if (drafted.place >= capacity_ || !is_whole(drafted.slot, drafted.place)) return;
    sequence_ = drafted.slot.sequence;
    RecordImage& target = image(static_cast<SlotId>(drafted.place));
    if (content_of(target, drafted, drafted.place) != &drafted.slot) return;
    const auto decoded = decode({drafted.slot.payload.data(), drafted.slot.length});
    if (decoded && target.pid_generation == static_cast<std::uint64_t>(decoded->task.generation))
        fair_copy(drafted.slot, target.slot);
    else
        drafted.slot.sequence = 0;
}

void Table::take_stock(std::vector<Found>& found, std::vector<Dropped>& dropped) {
    free_.reserve(capacity_);
    finish_draft();
    for (std::uint32_t place = capacity_; place-- > 0;) {
        const auto slot = static_cast<SlotId>(place);
        RecordImage& record = image(slot);
        const auto drop = [&](std::string reason) {
            dropped.push_back({slot, std::move(reason), std::max(record.pid, 0), std::nullopt});
            release(slot);
        };
        if (is_free(record, draft(), place)) {
            release(slot);
            continue;
        }
        const SlotImage* content = content_of(record, draft(), place);
        if (content == nullptr) {
            drop(kNotWhole);
            continue;
        }
        auto decoded = decode({content->payload.data(), content->length});
        if (!decoded) {
            drop(decoded.error());
            continue;
        }
        sequence_ = std::max(sequence_, content->sequence);
        if (!may_be_of(record, *decoded)) {
            drop("its pid is not that of the run it tells of");
            continue;
        }
        const pid_t pid = pid_of_run(record, decoded->task.generation);
        found.push_back({slot, std::move(decoded).value(), pid});
    }
    std::reverse(found.begin(), found.end());
    std::reverse(dropped.begin(), dropped.end());
    drop_doubles(found, dropped);
}

void Table::drop_doubles(std::vector<Found>& found, std::vector<Dropped>& dropped) {
    const auto age = [&](const Found& one) {
        const RecordImage& record = image(one.slot);
        return std::pair(one.record.task.generation, record.slot.sequence);
    };
    std::unordered_map<std::string, std::size_t> by_name;
    std::vector<Found> kept;
    for (Found& one : found) {
        const auto [entry, fresh] = by_name.emplace(one.record.task.name, kept.size());
        if (fresh) {
            kept.push_back(std::move(one));
            continue;
        }
        Found& rival = kept[entry->second];
        if (age(one) > age(rival)) std::swap(one, rival);
        dropped.push_back(
            {one.slot, "there is a newer record of " + one.record.task.name, one.pid, std::move(one.record)});
        release(one.slot);
    }
    found = std::move(kept);
}

}  // namespace vigil::state
