// Layer state, internal. The bytes of a table file, and which of them can be believed.
//
//   file   = header (4096 bytes) record*
//   record = pid word, generation of the pid word, slot, slot        (1024 bytes)
//   slot   = sequence, length, checksum, payload                     (504 bytes)
//
// Numbers are in the machine's byte order: a table is of use in the boot that it was written in and no other.
// A payload is a record as record.hpp describes it. Of the two slots the one counts that is whole and has the
// higher sequence; sequences are of the whole table and never given twice, 0 is a slot that is empty or being
// written. The pid word is in no checksum, as the kernel writes it.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/state.hpp"
#include "state/identity.hpp"
#include "state/record.hpp"

namespace vigil::state {

inline constexpr std::uint32_t kFormatVersion = 1;  ///< raised only where an older vigild must not read on
inline constexpr std::size_t kHeaderSize = 4096;  ///< a multiple of the record size; a page on most machines
inline constexpr std::size_t kRecordSize = 1024;
inline constexpr std::uint32_t kMostRecords = 65'536;

struct HeaderImage {
    std::array<char, 8> magic;
    std::uint32_t byte_order;
    std::uint32_t version;
    std::uint32_t record_size;
    std::uint32_t uid;
    std::uint64_t pid_namespace;
    std::array<std::uint8_t, 16> boot_id;
    std::uint32_t reserved;
    std::uint32_t checksum;  ///< of everything above
    /// Records that are allocated on the disk, and in the upper half their complement: one word, so that a
    /// kill leaves the old or the new number. Outside the checksum.
    std::uint64_t capacity;
};

struct SlotImage {
    std::uint64_t sequence;
    std::uint32_t length;
    std::uint32_t checksum;  ///< of the record's place in the table, sequence, length and payload
    std::array<std::uint8_t, kRecordCapacity> payload;
};

struct RecordImage {
    pid_t pid;
    std::uint32_t reserved;
    std::uint64_t pid_generation;  ///< the run that `pid` is of; 0: of none
    std::array<SlotImage, 2> slots;
};

static_assert(sizeof(HeaderImage) == 64 && sizeof(HeaderImage) <= kHeaderSize);
static_assert(sizeof(SlotImage) == 504 && sizeof(RecordImage) == kRecordSize);
static_assert(kHeaderSize % kRecordSize == 0);

[[nodiscard]] constexpr std::uint64_t pack_capacity(std::uint32_t records) noexcept {
    return std::uint64_t{~records} << 32U | records;
}
/// Nothing: the word is damaged or beyond kMostRecords.
[[nodiscard]] std::optional<std::uint32_t> unpack_capacity(std::uint64_t word) noexcept;

[[nodiscard]] constexpr std::uint64_t file_size(std::uint32_t records) noexcept {
    return kHeaderSize + std::uint64_t{records} * kRecordSize;
}

/// For a table without records.
[[nodiscard]] HeaderImage make_header(const Identity& identity) noexcept;

/// Why a file of `size` bytes with this beginning is no table that can be read; empty: it is one.
[[nodiscard]] std::string header_fault(const HeaderImage& header, std::uint64_t size);
/// Why a table that can be read is none of ours; empty: it is.
[[nodiscard]] std::string foreign_fault(const HeaderImage& header, const Identity& identity);

/// The checksum that the slot is to have with this sequence; its length must be within the payload.
[[nodiscard]] std::uint32_t slot_checksum(const SlotImage& slot, std::uint64_t sequence,
                                          std::uint32_t place) noexcept;
[[nodiscard]] bool is_whole(const SlotImage& slot, std::uint32_t place) noexcept;
/// Index of the slot that counts.
[[nodiscard]] std::optional<std::size_t> newest_slot(const RecordImage& record, std::uint32_t place) noexcept;
/// Nothing was ever written here, or it was released.
[[nodiscard]] bool is_free(const RecordImage& record) noexcept;
/// The pid that the kernel gave to the process of this run; 0: none was made yet.
[[nodiscard]] pid_t pid_of_run(const RecordImage& record, core::Generation generation) noexcept;

}  // namespace vigil::state
