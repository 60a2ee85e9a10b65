// Layer state, internal. The bytes of a table file, and which of them can be believed.
//
//   file    = header, draft, record*                       header and draft are of 4096 bytes together
//   draft   = place, slot
//   record  = pid word, generation of the pid word, slot                        (512 bytes)
//   slot    = sequence, length, checksum, payload                               (496 bytes)
//
// Numbers are in the machine's byte order: a table is of use in the boot that it was written in and no other.
// A payload is a record as record.hpp describes it. What is to stand in a record is written into the draft
// first and then from there into the record, so that one of the two is whole at any instant. A record says
// what its own slot says, or the draft, if that is of its place: of these the one counts that is whole and
// has the higher sequence. Sequences are of the whole table and never given twice, 0 is a slot that is empty
// or being written. The pid word is in no checksum, as the kernel writes it.
//
// Version 1, which had two slots in each record and no draft, is read as well: version_1.hpp.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/state.hpp"
#include "state/identity.hpp"
#include "state/record.hpp"

namespace vigil::state {

inline constexpr std::uint32_t kFormatVersion = 2;  ///< raised only where an older vigild must not read on
inline constexpr std::size_t kHeaderSize = 4096;  ///< a multiple of the record size; a page on most machines
inline constexpr std::size_t kDraftAt = 512;      ///< where in it the draft begins
inline constexpr std::size_t kRecordSize = 512;
inline constexpr std::uint32_t kMostRecords = 65'536;
/// Never reached by counting; a sequence beyond it is damage, and to go on counting from it would end at 0.
inline constexpr std::uint64_t kMostSequence = std::uint64_t{1} << 62U;

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

struct DraftImage {
    std::uint32_t place;
    std::uint32_t reserved;
    SlotImage slot;
};

struct RecordImage {
    pid_t pid;
    std::uint32_t reserved;
    std::uint64_t pid_generation;  ///< the run that `pid` is of; 0: of none
    SlotImage slot;
};

static_assert(sizeof(HeaderImage) == 64 && sizeof(HeaderImage) <= kDraftAt);
static_assert(kDraftAt + sizeof(DraftImage) <= kHeaderSize && kDraftAt % alignof(DraftImage) == 0);
static_assert(sizeof(SlotImage) == 496 && sizeof(RecordImage) == kRecordSize);
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

/// Why a file of `size` bytes with this beginning is no table that can be read, be it of an older version;
/// empty: it is one.
[[nodiscard]] std::string header_fault(const HeaderImage& header, std::uint64_t size);
/// Why a table that can be read is none of ours; empty: it is.
[[nodiscard]] std::string foreign_fault(const HeaderImage& header, const Identity& identity);

/// Of everything in a header before its checksum.
[[nodiscard]] std::uint32_t header_checksum(const HeaderImage& header) noexcept;
/// What stands as the checksum in a slot with this payload.
[[nodiscard]] std::uint32_t payload_checksum(std::uint32_t place, std::uint64_t sequence,
                                             std::span<const std::uint8_t> payload) noexcept;
/// The checksum that the slot is to have with this sequence; its length must be within the payload.
[[nodiscard]] std::uint32_t slot_checksum(const SlotImage& slot, std::uint64_t sequence,
                                          std::uint32_t place) noexcept;
[[nodiscard]] bool is_whole(const SlotImage& slot, std::uint32_t place) noexcept;
/// The slot that counts for the record, its own or the draft's; null: neither is whole.
[[nodiscard]] const SlotImage* content_of(const RecordImage& record, const DraftImage& draft,
                                          std::uint32_t place) noexcept;
/// Said of a record for which neither is.
inline constexpr const char* kNotWhole = "it is not whole";
/// From the draft into the record. What is copied is whole all the while. Who reads it finds a daemon that
/// was killed between two instructions: the compiler alone could put one store before another, so fences for
/// it are enough.
void fair_copy(const SlotImage& from, SlotImage& to) noexcept;
/// Nothing was ever written here, or it was released.
[[nodiscard]] bool is_free(const RecordImage& record, const DraftImage& draft, std::uint32_t place) noexcept;
/// The pid that the kernel gave to the process of this run; 0: none was made yet.
[[nodiscard]] pid_t pid_of_run(const RecordImage& record, core::Generation generation) noexcept;

}  // namespace vigil::state
