// An operator new that fails on demand, for LD_PRELOAD into a vigild. The file that VIGIL_FAILING_NEW names
// is mapped; it holds five 64-bit numbers of the machine:
//
//   at       which allocation fails, counted from 1 on since `seen` was set to 0; 0: none
//   least    allocations of fewer bytes do not count
//   seen     how many there were
//   failed   how many failed
//   lasting  not 0: it is the first of all that fail, whoever gives up memory meanwhile
//
// Like the real one it asks the new-handler for memory before it throws.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

struct Orders {
    std::atomic<std::uint64_t> at;
    std::atomic<std::uint64_t> least;
    std::atomic<std::uint64_t> seen;
    std::atomic<std::uint64_t> failed;
    std::atomic<std::uint64_t> lasting;
};

Orders* orders() {
    static Orders* const mapped = []() -> Orders* {
        const char* const path = std::getenv("VIGIL_FAILING_NEW");
        if (path == nullptr) return nullptr;
        const int fd = ::open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0) return nullptr;
        void* const place = ::mmap(nullptr, sizeof(Orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ::close(fd);
        return place == MAP_FAILED ? nullptr : static_cast<Orders*>(place);
    }();
    return mapped;
}

bool fails(std::size_t size) {
    Orders* const given = orders();
    if (given == nullptr || given->at == 0 || size < given->least) return false;
    const std::uint64_t seen = ++given->seen;
    if (given->lasting != 0 ? seen < given->at : seen != given->at) return false;
    ++given->failed;
    return true;
}

void* allocate(std::size_t size) {
    while (true) {
        void* const memory = fails(size) ? nullptr : std::malloc(size != 0 ? size : 1);
        if (memory != nullptr) return memory;
        const std::new_handler more = std::get_new_handler();
        if (more == nullptr) throw std::bad_alloc();
        more();
    }
}

}  // namespace

void* operator new(std::size_t size) {
    return allocate(size);
}
void* operator new[](std::size_t size) {
    return allocate(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
