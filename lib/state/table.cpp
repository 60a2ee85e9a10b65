#include "state/table.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.hpp"
#include "state/layout.hpp"
#include "state/table_file.hpp"

namespace vigil::state {
namespace {

constexpr std::uint32_t kGrowBy = 16;  // records; the file of a handful of tasks is 12 KiB
/// Mapped once, beyond the end of the file: on Linux what the file grows by is there without mapping it anew,
/// so no record ever moves. It is address space only, and only what is within the file is touched.
constexpr std::size_t kMapped = kHeaderSize + std::size_t{kMostRecords} * kRecordSize;

static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free &&
              std::atomic_ref<pid_t>::is_always_lock_free);

}  // namespace

Table::Table(std::string path, UniqueFd fd) noexcept : path_(std::move(path)), fd_(std::move(fd)) {}

Table::Table(Table&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::move(other.fd_)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)),
      sequence_(other.sequence_),
      free_(std::move(other.free_)) {}

Table& Table::operator=(Table&& other) noexcept {
    if (this == &other) return *this;
    if (mapping_ != nullptr) ::munmap(mapping_, kMapped);
    path_ = std::move(other.path_);
    fd_ = std::move(other.fd_);
    mapping_ = std::exchange(other.mapping_, nullptr);
    capacity_ = std::exchange(other.capacity_, 0);
    sequence_ = other.sequence_;
    free_ = std::move(other.free_);
    return *this;
}

Table::~Table() {
    if (mapping_ != nullptr) ::munmap(mapping_, kMapped);
}

Result<Opened> Table::open(const std::string& path, const Identity& identity) {
    auto file = open_private(path);
    if (!file) return Failure{file.error()};
    std::optional<SetAside> aside;
    std::string fault = file->fd ? fault_of_file(*file, identity) : file->fault;
    if (!fault.empty()) {
        auto moved = set_aside(path, std::move(fault));
        if (!moved) return Failure{moved.error()};
        aside = std::move(moved).value();
        file->fd.reset();
    }
    const bool made = !file->fd;
    if (!made) {
        auto present = in_present_version(path, std::move(file).value());
        if (!present) return Failure{present.error()};
        file = std::move(present);
    }
    auto table = made ? make(path, identity) : Result<Table>(Table(path, std::move(file->fd)));
    if (!table) return Failure{table.error()};
    if (auto mapped = table->map(); !mapped) {
        if (made) table->remove_file();
        return Failure{mapped.error()};
    }
    Opened opened{
        .table = std::move(table).value(), .found = {}, .dropped = {}, .set_aside = std::move(aside)};
    opened.table.take_stock(opened.found, opened.dropped);
    return opened;
}

bool Table::was_left(const std::string& path, const Identity& identity) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    const auto size = static_cast<std::uint64_t>(status.st_size);
    HeaderImage header{};
    if (::pread(file.get(), &header, sizeof header, 0) != ssize_t{sizeof header}) return false;
    if (!header_fault(header, size).empty()) return true;
    return size > kHeaderSize && foreign_fault(header, identity).empty();
}

Result<Table> Table::make(const std::string& path, const Identity& identity) {
    const HeaderImage header = make_header(identity);
    auto fd =
        make_table_file(path, {reinterpret_cast<const std::uint8_t*>(&header), sizeof header}, kHeaderSize);
    if (!fd) return Failure{fd.error()};
    return Table(path, std::move(fd).value());
}

Result<void> Table::map() {
    HeaderImage header{};
    if (::pread(fd_.get(), &header, sizeof header, 0) != ssize_t{sizeof header})
        return Failure{errno_error("reading " + path_)};
    const auto records = unpack_capacity(header.capacity);
    if (!records) return Failure{Error{path_ + " was changed while it was opened", 0}};
    // Beyond them is what a kill in the middle of growing has left.
    if (const int code = allocate_storage(fd_.get(), file_size(*records)); code != 0)
        return Failure{Error{"allocating " + path_, code}};
    if (::ftruncate(fd_.get(), static_cast<off_t>(file_size(*records))) != 0)
        return Failure{errno_error("setting the size of " + path_)};
    void* const mapping = ::mmap(nullptr, kMapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (mapping == MAP_FAILED) return Failure{errno_error("mapping " + path_)};
    mapping_ = static_cast<std::uint8_t*>(mapping);
    capacity_ = *records;
    return {};
}

Result<SlotId> Table::allocate() {
    if (free_.empty())
        if (auto grown = grow(capacity_ + kGrowBy); !grown) return Failure{grown.error()};
    const SlotId slot = free_.back();
    free_.pop_back();
    return slot;
}

Result<void> Table::reserve(std::size_t records) {
    if (records <= capacity_) return {};
    if (records > kMostRecords) return Failure{Error{"making room in " + path_, EFBIG}};
    return grow(static_cast<std::uint32_t>((records + kGrowBy - 1) / kGrowBy * kGrowBy));
}

Result<void> Table::grow(std::uint32_t records) {
    if (records > kMostRecords) return Failure{Error{"making room in " + path_, EFBIG}};
    if (const int code = allocate_storage(fd_.get(), file_size(records)); code != 0) {
        // Some file systems keep what they could allocate.
        const int kept = ::ftruncate(fd_.get(), static_cast<off_t>(file_size(capacity_)));
        return Failure{Error{"making room for a task in " + path_, kept == 0 ? code : errno}};
    }
    std::vector<SlotId> free;
    free.reserve(records);  // so that release() never has to
    for (std::uint32_t place = records; place-- > capacity_;) free.push_back(static_cast<SlotId>(place));
    free.insert(free.end(), free_.begin(), free_.end());
    free_ = std::move(free);
    auto& header = *std::launder(reinterpret_cast<HeaderImage*>(mapping_));
    std::atomic_ref(header.capacity).store(pack_capacity(records), std::memory_order_release);
    capacity_ = records;
    return {};
}

RecordImage& Table::image(SlotId slot) noexcept {
    const auto place = static_cast<std::uint32_t>(slot);
    VIGIL_CHECK(place < capacity_, "a record of another table");
    return *std::launder(reinterpret_cast<RecordImage*>(mapping_ + file_size(place)));
}

DraftImage& Table::draft() noexcept {
    return *std::launder(reinterpret_cast<DraftImage*>(mapping_ + kDraftAt));
}

void Table::write(SlotId slot, const Record& record) noexcept {
    RecordImage& target = image(slot);
    // Each step leaves a pid word that is no run's, or the run's that the record does not speak of yet.
    const auto generation = static_cast<std::uint64_t>(record.task.generation);
    const std::atomic_ref pid_generation(target.pid_generation);
    if (pid_generation.load(std::memory_order_relaxed) != generation) {
        pid_generation.store(0, std::memory_order_release);
        std::atomic_ref(target.pid).store(0, std::memory_order_release);
        pid_generation.store(generation, std::memory_order_release);
    }

    const auto place = static_cast<std::uint32_t>(slot);
    DraftImage& drafted = draft();
    const std::atomic_ref sequence(drafted.slot.sequence);
    sequence.store(0, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_release);
    drafted.place = place;
    drafted.slot.length = static_cast<std::uint32_t>(encode(record, drafted.slot.payload));
    const std::uint64_t next = ++sequence_;
    drafted.slot.checksum = slot_checksum(drafted.slot, next, place);
    sequence.store(next, std::memory_order_release);
    fair_copy(drafted.slot, target.slot);
}

void Table::release(SlotId slot) noexcept {
    RecordImage& target = image(slot);
    // The draft first, or a kill in between would bring it back.
    if (draft().place == static_cast<std::uint32_t>(slot))
        std::atomic_ref(draft().slot.sequence).store(0, std::memory_order_release);
    std::atomic_ref(target.slot.sequence).store(0, std::memory_order_release);
    std::atomic_ref(target.pid_generation).store(0, std::memory_order_release);
    std::atomic_ref(target.pid).store(0, std::memory_order_release);
    free_.push_back(slot);
}

void Table::set_pid(SlotId slot, core::Generation generation, pid_t pid) noexcept {
    RecordImage& target = image(slot);
    const std::atomic_ref pid_generation(target.pid_generation);
    pid_generation.store(0, std::memory_order_release);
    std::atomic_ref(target.pid).store(pid, std::memory_order_release);
    pid_generation.store(static_cast<std::uint64_t>(generation), std::memory_order_release);
}

pid_t* Table::pid_word(SlotId slot) noexcept {
    return &image(slot).pid;
}

void Table::remove_file() noexcept {
    struct stat mine {};
    struct stat there {};
    if (::fstat(fd_.get(), &mine) == 0 && ::lstat(path_.c_str(), &there) == 0 &&
        mine.st_dev == there.st_dev && mine.st_ino == there.st_ino)
        ::unlink(path_.c_str());
}

}  // namespace vigil::state
