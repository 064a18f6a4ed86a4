export { type TestClock, testClock } from '@sallyport/server/testing'
