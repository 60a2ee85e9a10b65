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
#include <unordered_map>
#include <utility>

#include "base/check.hpp"
#include "state/layout.hpp"

namespace vigil::state {
namespace {

constexpr std::uint32_t kGrowBy = 16;  // records; the file of a handful of tasks is 20 KiB
/// Mapped once, beyond the end of the file: on Linux what the file grows by is there without mapping it anew,
/// so no record ever moves. It is address space only, and only what is within the file is touched.
constexpr std::size_t kMapped = kHeaderSize + std::size_t{kMostRecords} * kRecordSize;

static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free &&
              std::atomic_ref<pid_t>::is_always_lock_free);

/// Storage for the first `size` bytes: a store into a hole on a full disk would be SIGBUS.
int allocate_storage(int fd, std::uint64_t size) noexcept {
    int code = 0;
    do code = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
    while (code == EINTR);
    return code;
}

/// Why the file is no table of ours; empty: it is.
std::string fault_of(const PrivateFile& file, const Identity& identity) {
    HeaderImage header{};
    const ssize_t size = ::pread(file.fd.get(), &header, sizeof header, 0);
    if (size < 0) return errno_error("reading it").text();
    std::string fault = header_fault(header, file.size);
    return fault.empty() ? foreign_fault(header, identity) : fault;
}

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
    std::string fault = file->fd ? fault_of(*file, identity) : file->fault;
    if (!fault.empty()) {
        auto moved = set_aside(path, std::move(fault));
        if (!moved) return Failure{moved.error()};
        aside = std::move(moved).value();
        file->fd.reset();
    }
    const bool made = !file->fd;
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

/// Under another name until it is whole: at `path` there never is half a table.
Result<Table> Table::make(const std::string& path, const Identity& identity) {
    const std::string unfinished = path + ".new";
    auto fd = make_private(unfinished);
    if (!fd) return Failure{fd.error()};
    if (const int code = allocate_storage(fd->get(), kHeaderSize); code != 0) {
        ::unlink(unfinished.c_str());
        return Failure{Error{"allocating " + unfinished, code}};
    }
    const HeaderImage header = make_header(identity);
    if (::pwrite(fd->get(), &header, sizeof header, 0) != ssize_t{sizeof header} ||
        ::rename(unfinished.c_str(), path.c_str()) != 0) {
        Error error = errno_error("making the state table " + path);
        ::unlink(unfinished.c_str());
        return Failure{std::move(error)};
    }
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

void Table::take_stock(std::vector<Found>& found, std::vector<Dropped>& dropped) {
    free_.reserve(capacity_);
    for (std::uint32_t place = capacity_; place-- > 0;) {
        const auto slot = static_cast<SlotId>(place);
        RecordImage& record = image(slot);
        const auto drop = [&](std::string reason) {
            dropped.push_back({slot, std::move(reason), std::max(record.pid, 0), std::nullopt});
            release(slot);
        };
        if (is_free(record)) {
            release(slot);
            continue;
        }
        const auto newest = newest_slot(record, place);
        if (!newest) {
            drop("neither of its two slots is whole");
            continue;
        }
        const SlotImage& content = record.slots[*newest];
        auto decoded = decode({content.payload.data(), content.length});
        if (!decoded) {
            drop(decoded.error());
            continue;
        }
        sequence_ = std::max(sequence_, content.sequence);
        // write() takes the lower sequence for the older slot, so what is not whole must have none.
        SlotImage& other = record.slots[1 - *newest];
        if (!is_whole(other, place)) other.sequence = 0;
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
        return std::pair(one.record.task.generation,
                         std::max(record.slots[0].sequence, record.slots[1].sequence));
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

    SlotImage& older = target.slots[target.slots[0].sequence <= target.slots[1].sequence ? 0 : 1];
    const std::atomic_ref sequence(older.sequence);
    sequence.store(0, std::memory_order_relaxed);
    // Who reads it finds a daemon that was killed between two instructions: the compiler alone could put what
    // follows before it.
    std::atomic_signal_fence(std::memory_order_release);
    older.length = static_cast<std::uint32_t>(encode(record, older.payload));
    const std::uint64_t next = ++sequence_;
    older.checksum = slot_checksum(older, next, static_cast<std::uint32_t>(slot));
    sequence.store(next, std::memory_order_release);
}

void Table::release(SlotId slot) noexcept {
    RecordImage& target = image(slot);
    // The older one first, or a kill in between would bring it back.
    const std::size_t older = target.slots[0].sequence <= target.slots[1].sequence ? 0 : 1;
    std::atomic_ref(target.slots[older].sequence).store(0, std::memory_order_release);
    std::atomic_ref(target.slots[1 - older].sequence).store(0, std::memory_order_release);
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
