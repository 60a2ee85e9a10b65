#include "state/version_1.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "state/checksum.hpp"

namespace vigil::state {

bool is_version_1(const HeaderImage& header) noexcept {
    return header.version == 1 && header.record_size == version_1::kRecordSize;
}

namespace version_1 {
namespace {

struct Slot {
    std::uint64_t sequence;
    std::uint32_t length;
    std::uint32_t checksum;
    std::array<std::uint8_t, kRecordCapacity> payload;
};
struct Record {
    pid_t pid;
    std::uint32_t reserved;
    std::uint64_t pid_generation;
    std::array<Slot, 2> slots;
};
static_assert(sizeof(Slot) == 504 && sizeof(Record) == kRecordSize);

bool is_whole(const Slot& slot, std::uint32_t place) noexcept {
    return slot.sequence != 0 && slot.sequence <= kMostSequence && slot.length <= slot.payload.size() &&
           slot.checksum == payload_checksum(place, slot.sequence, {slot.payload.data(), slot.length});
}

const Slot* newest(const Record& record, std::uint32_t place) noexcept {
    const Slot* found = nullptr;
    for (const Slot& slot : record.slots)
        if (is_whole(slot, place) && (found == nullptr || slot.sequence > found->sequence)) found = &slot;
    return found;
}

/// A slot that says the same; what cannot be read stays so.
SlotImage slot_of(const Slot& old, std::uint32_t place) {
    SlotImage slot{};
    slot.sequence = old.sequence;
    const std::span<const std::uint8_t> payload(old.payload.data(), old.length);
    if (payload.size() <= slot.payload.size()) {
        slot.length = old.length;
        std::copy(payload.begin(), payload.end(), slot.payload.begin());
    } else if (const auto record = decode(payload)) {
        slot.length = static_cast<std::uint32_t>(encode(*record, slot.payload));
    }
    slot.checksum = slot_checksum(slot, slot.sequence, place);
    return slot;
}

RecordImage record_of(const Record& old, std::uint32_t place) {
    RecordImage record{};
    record.pid = old.pid;
    record.pid_generation = old.pid_generation;
    if (const Slot* content = newest(old, place)) {
        record.slot = slot_of(*content, place);
    } else if (old.slots[0].sequence != 0 || old.slots[1].sequence != 0) {
        record.slot.sequence = 1;
        record.slot.checksum = ~slot_checksum(record.slot, 1, place);
    }
    return record;
}

}  // namespace

std::vector<std::uint8_t> converted(std::span<const std::uint8_t> bytes) {
    HeaderImage header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::uint32_t records = unpack_capacity(header.capacity).value_or(0);
    header.version = kFormatVersion;
    header.record_size = state::kRecordSize;
    header.checksum = header_checksum(header);
    std::vector<std::uint8_t> out(state::file_size(records));
    std::memcpy(out.data(), &header, sizeof header);
    for (std::uint32_t place = 0; place < records; ++place) {
        Record old{};
        std::memcpy(&old, bytes.data() + file_size(place), sizeof old);
        const RecordImage record = record_of(old, place);
        std::memcpy(out.data() + state::file_size(place), &record, sizeof record);
    }
    return out;
}

}  // namespace version_1
}  // namespace vigil::state
