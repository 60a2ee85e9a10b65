#include "linux/self/spare_memory.hpp"

#include <doctest/doctest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <new>
#include <thread>
#include <vector>

// gcc says it by macros, clang by features.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kOwnAllocator = true;
#elif defined(__has_feature)
constexpr bool kOwnAllocator = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kOwnAllocator = false;
#endif

namespace spare = vigil::os::spare_memory;

namespace {

std::size_t address_space() {
    unsigned long pages = 0;
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr || std::fscanf(file, "%lu", &pages) != 1) return 0;
    (void)std::fclose(file);
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void take_what_is_left() {
    try {
        while (true) (void)new char[16 << 10];
    } catch (const std::bad_alloc&) {
    }
}

/// In a process of its own that gets no more memory: `check` gives its exit code.
template <typename Check>
int without_memory(Check check) {
    const pid_t child = ::fork();
    if (child == 0) {
        // What is given back goes to the kernel, whatever was allocated before.
        ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
        if (!spare::hold()) ::_exit(100);
        const rlimit limit{address_space() + (std::size_t{1} << 20), RLIM_INFINITY};
        if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(101);
        take_what_is_left();
        ::_exit(check());
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

bool allocates(std::size_t size) {
    try {
        const std::unique_ptr<char[]> memory(new char[size]);
        return memory != nullptr;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

constexpr std::size_t kMuch = std::size_t{3} << 20;

}  // namespace

TEST_CASE(
    "without memory what must be whole goes on with what was set by, and it is set by again afterwards" *
    doctest::skip(kOwnAllocator)) {
    CHECK(without_memory([] {
              if (allocates(kMuch)) return 1;
              if (!spare::held()) return 2;
              {
                  const spare::Used used;
                  {
                      const spare::Untouched untouched;
                      if (allocates(kMuch) || !spare::held()) return 3;
                  }
                  const std::unique_ptr<char[]> first(new char[kMuch]);
                  if (spare::held()) return 4;
                  // Once used up there is no more of it.
                  if (allocates(kMuch)) return 5;
                  if (spare::hold()) return 6;
                  try {
                      spare::require();
                      return 7;
                  } catch (const std::bad_alloc&) {
                  }
              }
              return spare::hold() && spare::held() && !allocates(kMuch) ? 0 : 8;
          }) == 0);
}

TEST_CASE("another thread does not use up what is set by for the one that must go on" *
          doctest::skip(kOwnAllocator)) {
    CHECK(without_memory([] {
              const spare::Used used;
              return allocates(kMuch) && !spare::held() ? 0 : 1;
          }) == 0);
    bool thrown = false;
    REQUIRE(spare::hold());
    const spare::Used used;
    std::thread([&] {
        try {
            std::get_new_handler()();
        } catch (const std::bad_alloc&) {
            thrown = true;
        }
    }).join();
    CHECK(thrown);
    CHECK(spare::held());
}
