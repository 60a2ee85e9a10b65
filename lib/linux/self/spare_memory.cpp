#include "linux/self/spare_memory.hpp"

#include <sys/mman.h>

#include <new>
#include <utility>

namespace vigil::os::spare_memory {
namespace {

/// Of a thread; goes with it.
struct Spare {
    void* place = nullptr;

    void give_back() noexcept {
        if (place != nullptr) ::munmap(std::exchange(place, nullptr), kSize);
    }
    Spare() = default;
    ~Spare() { give_back(); }
    Spare(const Spare&) = delete;
    Spare& operator=(const Spare&) = delete;
};

thread_local bool may_use = false;
thread_local Spare spare;

/// Called by operator new when there is no memory, until it finds some or this throws.
void give_up() {
    if (!may_use || spare.place == nullptr) throw std::bad_alloc();
    spare.give_back();
}

}  // namespace

bool hold() noexcept {
    if (spare.place != nullptr) return true;
    std::set_new_handler(give_up);
    // Not by malloc: what is freed there moves the bound between its heap and mappings (mallopt(3),
    // M_MMAP_THRESHOLD).
    void* const place = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) return false;
    spare.place = place;
    return true;
}

void require() {
    if (!hold()) throw std::bad_alloc();
}

bool held() noexcept {
    return spare.place != nullptr;
}

Scope::Scope(bool use) noexcept : before_(std::exchange(may_use, use)) {}

Scope::~Scope() {
    may_use = before_;
}

}  // namespace vigil::os::spare_memory
