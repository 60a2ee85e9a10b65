#include "state/layout.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>

#include "state/checksum.hpp"
#include "state/version_1.hpp"

namespace vigil::state {
namespace {

constexpr std::array<char, 8> kMagic{'v', 'i', 'g', 'i', 'l', 'S', 'T', '\n'};
constexpr std::uint32_t kByteOrder = 0x01020304;

template <typename T>
std::span<const std::uint8_t> bytes_of(const T& value, std::size_t size = sizeof(T)) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(&value), size};
}

}  // namespace

std::uint32_t header_checksum(const HeaderImage& header) noexcept {
    return crc32c(bytes_of(header, offsetof(HeaderImage, checksum)));
}

std::optional<std::uint32_t> unpack_capacity(std::uint64_t word) noexcept {
    const auto records = static_cast<std::uint32_t>(word & 0xFFFF'FFFFU);
    if (word != pack_capacity(records) || records > kMostRecords) return std::nullopt;
    return records;
}

HeaderImage make_header(const Identity& identity) noexcept {
    HeaderImage header{.magic = kMagic,
                       .byte_order = kByteOrder,
                       .version = kFormatVersion,
                       .record_size = kRecordSize,
                       .uid = identity.uid,
                       .pid_namespace = identity.pid_namespace,
                       .boot_id = identity.boot_id,
                       .reserved = 0,
                       .checksum = 0,
                       .capacity = pack_capacity(0)};
    header.checksum = header_checksum(header);
    return header;
}

std::string header_fault(const HeaderImage& header, std::uint64_t size) {
    if (size < kHeaderSize) return "cut short: " + std::to_string(size) + " bytes";
    const bool older = is_version_1(header);
    if (header.magic != kMagic || header.byte_order != kByteOrder) return "no state table";
    // Before the checksum, which another version may compute otherwise.
    if (header.version != kFormatVersion && !older)
        return "of format version " + std::to_string(header.version) + ", this vigild reads " +
               std::to_string(kFormatVersion);
    if (header.checksum != header_checksum(header) || (!older && header.record_size != kRecordSize))
        return "its header is damaged";
    const auto records = unpack_capacity(header.capacity);
    if (!records) return "its number of records is damaged";
    const std::uint64_t needed = older ? version_1::file_size(*records) : file_size(*records);
    if (size < needed)
        return "cut short: " + std::to_string(size) + " of " + std::to_string(needed) + " bytes";
    return {};
}

std::string foreign_fault(const HeaderImage& header, const Identity& identity) {
    if (header.uid != identity.uid) return "of uid " + std::to_string(header.uid);
    if (header.boot_id != identity.boot_id) return "of another boot: nothing in it runs any more";
    if (header.pid_namespace != identity.pid_namespace) return "of another pid namespace";
    return {};
}

std::uint32_t payload_checksum(std::uint32_t place, std::uint64_t sequence,
                               std::span<const std::uint8_t> payload) noexcept {
    const auto length = static_cast<std::uint32_t>(payload.size());
    std::uint32_t sum = crc32c(bytes_of(place));
    sum = crc32c(bytes_of(sequence), sum);
    sum = crc32c(bytes_of(length), sum);
    return crc32c(payload, sum);
}

std::uint32_t slot_checksum(const SlotImage& slot, std::uint64_t sequence, std::uint32_t place) noexcept {
    return payload_checksum(place, sequence, {slot.payload.data(), slot.length});
}

bool is_whole(const SlotImage& slot, std::uint32_t place) noexcept {
    return slot.sequence != 0 && slot.sequence <= kMostSequence && slot.length <= slot.payload.size() &&
           slot.checksum == slot_checksum(slot, slot.sequence, place);
}

const SlotImage* content_of(const RecordImage& record, const DraftImage& draft,
                            std::uint32_t place) noexcept {
    const bool own = is_whole(record.slot, place);
    const bool drafted = draft.place == place && is_whole(draft.slot, place);
    if (drafted && (!own || draft.slot.sequence > record.slot.sequence)) return &draft.slot;
    return own ? &record.slot : nullptr;
}

void fair_copy(const SlotImage& from, SlotImage& to) noexcept {
    const std::atomic_ref sequence(to.sequence);
    std::atomic_signal_fence(std::memory_order_release);
    sequence.store(0, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_release);
    std::memcpy(to.payload.data(), from.payload.data(), from.length);
    to.length = from.length;
    to.checksum = from.checksum;
    sequence.store(from.sequence, std::memory_order_release);
}

bool is_free(const RecordImage& record, const DraftImage& draft, std::uint32_t place) noexcept {
    return record.slot.sequence == 0 && content_of(record, draft, place) == nullptr;
}

pid_t pid_of_run(const RecordImage& record, core::Generation generation) noexcept {
    const auto number = static_cast<std::uint64_t>(generation);
    return number != 0 && record.pid_generation == number ? std::max(record.pid, 0) : 0;
}

}  // namespace vigil::state
