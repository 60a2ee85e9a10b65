// What one event may cost. A program of its own, since it counts every allocation.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include "unit/core/stage.hpp"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace vigil::core::testing {
namespace {

TEST_CASE("a heartbeat allocates nothing") {
    Stage stage;
    stage.given_healthy(beating());
    (void)stage.effects();
    const TaskId id = stage.id;
    event::Notified beat;
    beat.generation = stage.generation();
    beat.beat = true;
    const std::size_t before = allocations;
    for (int i = 0; i < 1000; ++i) {
        stage.now += 1s;
        stage.supervisor.wake(stage.now);
        stage.supervisor.handle(id, beat, stage.now);
        stage.supervisor.judge(stage.now);
    }
    CHECK(allocations == before);
    CHECK(stage.state() == "healthy");
}

TEST_CASE("a task stays small: 10,000 of them are to fit") {
    CHECK(sizeof(Task) <= 512);
}

}  // namespace
}  // namespace vigil::core::testing
