// Every path is a page, /ws too: without the guard, Next would end its upgrades.
export default async function Page({ params }) {
  const { slug } = await params
  return <h1>Page {slug.join('/')}</h1>
}
