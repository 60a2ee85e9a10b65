#include "output/transfer_notes.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vigil::output {
namespace {

constexpr char kMagic[16] = "vigil notes 001";
constexpr std::size_t kSize = 4096;
constexpr std::size_t kNotes = (kSize - sizeof kMagic) / sizeof(TransferNote);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace

void TransferNote::begin(std::uint64_t from_pipe, const std::pair<dev_t, ino_t>& file, std::uint64_t size,
                         std::size_t count) noexcept {
    pipe = from_pipe;
    device = file.first;
    inode = file.second;
    before = size;
    bytes = static_cast<std::uint32_t>(count);
    stands.store(1, std::memory_order_release);
}

Result<UniqueFd> TransferNotes::make() {
    UniqueFd memory(::memfd_create("vigil-notes", MFD_CLOEXEC));
    if (!memory || ::ftruncate(memory.get(), kSize) != 0 ||
        ::pwrite(memory.get(), kMagic, sizeof kMagic, 0) != static_cast<ssize_t>(sizeof kMagic))
        return Failure{errno_error("making the memory for notes of what is written")};
    return memory;
}

Result<std::shared_ptr<TransferNotes>> TransferNotes::open(int memory) {
    static constexpr const char* kDoing = "reading the notes of what is written";
    struct stat found {};
    if (::fstat(memory, &found) != 0) return Failure{errno_error(kDoing)};
    // A file that is too short would raise SIGBUS.
    if (found.st_size != static_cast<off_t>(kSize)) return Failure{Error{kDoing, EINVAL}};
    void* const place = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (place == MAP_FAILED) return Failure{errno_error(kDoing)};
    std::shared_ptr<TransferNotes> notes(new TransferNotes(place));
    if (std::memcmp(place, kMagic, sizeof kMagic) != 0) return Failure{Error{kDoing, EINVAL}};
    for (std::size_t i = 0; i < kNotes; ++i)
        if (TransferNote& note = notes->notes()[i]; note.stands.load(std::memory_order_acquire) != 0)
            notes->left_.emplace(note.pipe, &note);
    return notes;
}

TransferNotes::TransferNotes(void* memory) noexcept : memory_(memory), taken_(kNotes) {}

TransferNotes::~TransferNotes() {
    ::munmap(memory_, kSize);
}

TransferNote* TransferNotes::notes() const noexcept {
    return reinterpret_cast<TransferNote*>(static_cast<char*>(memory_) + sizeof kMagic);
}

TransferNote* TransferNotes::take() noexcept {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < kNotes; ++i)
        if (!taken_[i] && notes()[i].stands.load(std::memory_order_acquire) == 0) {
            taken_[i] = true;
            return notes() + i;
        }
    return nullptr;
}

void TransferNotes::give_back(TransferNote* note) noexcept {
    const std::scoped_lock lock(mutex_);
    taken_[static_cast<std::size_t>(note - notes())] = false;
}

TransferNote* TransferNotes::left(std::uint64_t pipe) noexcept {
    const std::scoped_lock lock(mutex_);
    const auto found = left_.extract(pipe);
    return found ? found.mapped() : nullptr;
}

}  // namespace vigil::output
