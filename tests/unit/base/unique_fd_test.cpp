#include "base/unique_fd.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <type_traits>
#include <utility>
#include <vector>

using vigil::UniqueFd;

namespace {

int open_something() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

/// Counts by asking for each number, so that the counting itself opens none.
int open_descriptors() {
    int count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += is_open(fd) ? 1 : 0;
    return count;
}

/// Assignment to itself through a second name, which no compiler warning sees.
void move_assign(UniqueFd& to, UniqueFd& from) {
    to = std::move(from);
}

/// Every case ends with as many descriptors as it began with.
struct NoDescriptorLeft {
    int before = open_descriptors();
    ~NoDescriptorLeft() { CHECK(open_descriptors() == before); }
    NoDescriptorLeft() = default;
    NoDescriptorLeft(const NoDescriptorLeft&) = delete;
    NoDescriptorLeft& operator=(const NoDescriptorLeft&) = delete;
};

}  // namespace

static_assert(!std::is_copy_constructible_v<UniqueFd> && !std::is_copy_assignable_v<UniqueFd>);
static_assert(std::is_nothrow_move_constructible_v<UniqueFd> && std::is_nothrow_move_assignable_v<UniqueFd>);
static_assert(sizeof(UniqueFd) == sizeof(int));

TEST_CASE_FIXTURE(NoDescriptorLeft, "a UniqueFd closes its descriptor when it goes") {
    int number = -1;
    {
        const UniqueFd fd(open_something());
        number = fd.get();
        REQUIRE(is_open(number));
        CHECK(fd);
    }
    CHECK_FALSE(is_open(number));
}

TEST_CASE_FIXTURE(NoDescriptorLeft, "an empty UniqueFd is false, and any negative number means empty") {
    CHECK_FALSE(UniqueFd());
    CHECK_FALSE(UniqueFd(-1));
    CHECK(UniqueFd(-9).get() == -1);
    UniqueFd fd(open_something());
    fd.reset(-9);
    CHECK(fd.get() == -1);
}

TEST_CASE_FIXTURE(NoDescriptorLeft, "a move takes the descriptor and leaves the source empty") {
    UniqueFd from(open_something());
    const int number = from.get();
    const UniqueFd to(std::move(from));
    CHECK(to.get() == number);
    CHECK(from.get() == -1);  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move): the moved-from
                              // state is the point
    CHECK(is_open(number));
}

TEST_CASE_FIXTURE(NoDescriptorLeft, "a move assignment closes what was held before") {
    UniqueFd to(open_something());
    UniqueFd from(open_something());
    const int old_number = to.get();
    const int new_number = from.get();
    to = std::move(from);
    CHECK_FALSE(is_open(old_number));
    CHECK(to.get() == new_number);
    CHECK(is_open(new_number));
}

TEST_CASE_FIXTURE(NoDescriptorLeft, "an assignment from an empty one closes and empties") {
    UniqueFd to(open_something());
    const int number = to.get();
    to = UniqueFd();
    CHECK_FALSE(to);
    CHECK_FALSE(is_open(number));
}

TEST_CASE_FIXTURE(NoDescriptorLeft, "a self-move keeps the descriptor open and owned") {
    UniqueFd fd(open_something());
    const int number = fd.get();
    move_assign(fd, fd);
    CHECK(fd.get() == number);
    CHECK(is_open(number));
}

TEST_CASE_FIXTURE(NoDescriptorLeft, "release gives the descriptor up without closing it") {
    UniqueFd fd(open_something());
    const int number = fd.release();
    CHECK_FALSE(fd);
    CHECK(is_open(number));
    ::close(number);
}

TEST_CASE_FIXTURE(NoDescriptorLeft, "reset to the number already held keeps it open") {
    UniqueFd fd(open_something());
    fd.reset(fd.get());
    CHECK(is_open(fd.get()));
}

TEST_CASE_FIXTURE(NoDescriptorLeft, "a close leaves errno as it was") {
    // The number is above every limit, so that close fails with EBADF and would change errno.
    UniqueFd fd(1 << 24);
    errno = ENOENT;
    fd.reset();
    CHECK(errno == ENOENT);
}

TEST_CASE_FIXTURE(NoDescriptorLeft, "a growing and shrinking vector of descriptors loses none") {
    std::vector<UniqueFd> held;
    // NOLINTNEXTLINE(performance-inefficient-vector-operation): that it grows is the point
    for (int i = 0; i < 100; ++i) held.emplace_back(open_something());
    for (const UniqueFd& fd : held) REQUIRE(is_open(fd.get()));
    held.erase(held.begin(), held.begin() + 50);
    std::swap(held.front(), held.back());
    for (const UniqueFd& fd : held) CHECK(is_open(fd.get()));
}
