// The end of the leaf that the daemon itself lives in.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "linux/cgroup/cgroup.hpp"
#include "linux/file/small_file.hpp"
#include "tree_support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

TEST_CASE("a home whose leaf holds somebody who is on his way out is removed all the same") {
    const auto path = cgroup_test_path();
    if (!path) return;
    const NothingLeft nothing_left;
    int gate[2];
    REQUIRE(::pipe2(gate, O_CLOEXEC) == 0);
    const UniqueFd reader(gate[0]);
    UniqueFd writer(gate[1]);
    std::thread exit;
    pid_t last = 0;
    {
        const auto opened = CgroupHome::open({CgroupWish::Kind::path, *path}, probe_features());
        REQUIRE(opened.ok());
        REQUIRE(::mkdir((*path + "/vigild").c_str(), 0755) == 0);
        last = ::fork();
        if (last == 0) {
            writer.reset();
            char byte = 0;
            ::_exit(static_cast<int>(::read(reader.get(), &byte, 1)));
        }
        REQUIRE(write_small_file(AT_FDCWD, (*path + "/vigild/cgroup.procs").c_str(), std::to_string(last)) ==
                0);
        exit = std::thread([&writer] {
            std::this_thread::sleep_for(std::chrono::milliseconds(30));
            writer.reset();
        });
    }
    CHECK(::access(path->c_str(), F_OK) != 0);
    exit.join();
    CHECK(::waitpid(last, nullptr, 0) == last);
}
