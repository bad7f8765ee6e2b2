/* Says in words what went wrong with a passkey; the work itself is done by the sign-in library's script. */
document.addEventListener('allauth.error', (event) => {
  const place = document.getElementById('passkey_problem')
  if (!place) return
  const name = event.detail.exception && event.detail.exception.name
  place.textContent = name === 'NotAllowedError'
    ? 'The passkey was not used: the question was closed, or it took too long.'
    : name === 'InvalidStateError'
      ? 'This device holds a passkey for this account already.'
      : 'This browser cannot use passkeys here. They need HTTPS (or localhost) and a recent browser.'
  place.hidden = false
  event.preventDefault()
})
