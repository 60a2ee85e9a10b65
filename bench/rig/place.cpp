#include "rig/place.hpp"

#include <cstdlib>

#include <filesystem>

#include "rig/programs.hpp"

namespace vigil::bench {
namespace {

std::string the_place;

void remove_it() {
    std::error_code ignored;
    std::filesystem::remove_all(the_place, ignored);
}

}  // namespace

Place::Place() : path_(std::filesystem::is_directory("/dev/shm") ? "/dev/shm/vbXXXXXX" : "/tmp/vbXXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) give_up("mkdtemp " + path_);
    the_place = path_;
    std::atexit(remove_it);
}

}  // namespace vigil::bench
