#include "base/error.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <clocale>
#include <string>
#include <thread>

using vigil::errno_error;
using vigil::errno_name;
using vigil::errno_text;
using vigil::Error;

TEST_CASE("an error names what was being done, the reason and the errno") {
    CHECK(Error{"opening /run/vigil/lock", EACCES}.text() ==
          "opening /run/vigil/lock: Permission denied (EACCES)");
}

TEST_CASE("an error without an errno is its own text") {
    CHECK(Error{"the name is empty"}.text() == "the name is empty");
}

TEST_CASE("errno_error takes the errno of the call before it") {
    errno = ENOTDIR;
    const Error error = errno_error("looking");
    errno = 0;
    CHECK(error.code == ENOTDIR);
    CHECK(error.doing == "looking");
}

TEST_CASE("an errno without a name still reads") {
    CHECK(errno_name(4095) == "errno 4095");
    CHECK(errno_name(-1) == "errno -1");
    CHECK(errno_text(4095) == "Unknown error");
    CHECK(Error{"waiting", 4095}.text() == "waiting: Unknown error (errno 4095)");
}

TEST_CASE("the name of an unknown errno is not overwritten by another thread") {
    const std::string_view here = errno_name(4095);
    std::thread([] { static_cast<void>(errno_name(4094)); }).join();
    CHECK(here == "errno 4095");
}
